import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import { s3Archive } from '../shared/archive.ts';
import { createStreamer, type StreamerDeps } from './streamer.ts';

export interface StreamerPorts extends Omit<StreamerDeps, 'archive' | 'streamMs'> {
  readonly s3: S3Calls;
}

export const composeStreamer = ({ s3, ...ports }: StreamerPorts, { bucket }: { readonly bucket: string }) =>
  createStreamer({ ...ports, archive: s3Archive(s3, bucket) });

import { createServer } from 'node:http';
import type { S3Client } from '@aws-sdk/client-s3';
import { ProjectIdSchema } from '../../contract/api.ts';
import { VerenError } from '../../contract/errors.ts';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { type Endpoint, listenOnLoopback } from '../awsProtocol/listen.ts';
import { SiteHandler } from './handler.ts';
import { SitePorts } from './ports.ts';

export interface SiteServerOptions {
  /** The chosen ports are kept in `<dataDir>/sites.json`. */
  readonly dataDir: string;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly clock?: Clock;
  readonly onError?: (error: unknown) => void;
}

export interface SiteServer {
  /** `http://127.0.0.1:<port>/`; from then on the site is served there, in this life of the platform and in later ones. */
  urlFor(projectId: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Serves published sites: one origin for each project, so that absolute paths work and one site cannot script another. On
 * each of the ports every site also answers to `<project>.localhost`.
 */
export async function startSiteServer(options: SiteServerOptions): Promise<SiteServer> {
  const { s3, bucket, clock = { now: Date.now }, onError = () => undefined } = options;
  const ports = await SitePorts.open(options.dataDir);
  const handler = new SiteHandler({ s3, bucket, clock, onError });
  const listeners = new Map<string, Promise<Endpoint>>();

  async function listen(projectId: string): Promise<Endpoint> {
    for (const port of ports.candidates(projectId)) {
      const server = createServer((request, response) => void handler.handle(projectId, request, response));
      try {
        const endpoint = await listenOnLoopback(server, port);
        await ports.keep(projectId, endpoint.port);
        return endpoint;
      } catch (error) {
        if (!(error instanceof VerenError) || error.code !== 'PORT_IN_USE') throw error;
      }
    }
    throw new VerenError('PORT_IN_USE', { port: 0 });
  }

  function listener(projectId: string): Promise<Endpoint> {
    let endpoint = listeners.get(projectId);
    if (!endpoint) {
      endpoint = listen(projectId);
      listeners.set(projectId, endpoint);
      endpoint.catch(() => listeners.delete(projectId)); // the next call tries again
    }
    return endpoint;
  }

  await Promise.allSettled(ports.projects().map(listener));
  return {
    urlFor: async (projectId) => `${(await listener(ProjectIdSchema.parse(projectId))).url}/`,
    async close() {
      const open = await Promise.allSettled(listeners.values());
      await Promise.all(open.map((result) => (result.status === 'fulfilled' ? result.value.close() : undefined)));
    },
  };
}

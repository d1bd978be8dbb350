import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { openS3 } from '../shared/adapters/aws/clients.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog } from '../shared/logger.ts';
import { createFiles, removeFiles, uploadFiles } from './files.ts';

const env = readEnv('dashboard-files');
const log = jsonLog('dashboard-files');
const s3 = openS3();
/** One id per stack: with another one CloudFormation would delete the resource of the old id. */
const PHYSICAL_ID = 'dashboard-files';
/** What the function is packed with. */
const FOLDER = join(import.meta.dirname, 'files');

/** Called by CDK's provider framework, which answers CloudFormation, also with the error that was thrown. */
export async function handler(event: CloudFormationCustomResourceEvent): Promise<{ PhysicalResourceId: string }> {
  const deps = { s3, bucket: env.BUCKET, read: (name: string) => readFile(join(FOLDER, name)) };
  if (event.RequestType === 'Delete') {
    // CloudFormation removes empty buckets only.
    log.info('The files were removed', { files: await removeFiles(deps) });
    return { PhysicalResourceId: event.PhysicalResourceId };
  }
  const putFiles = event.RequestType === 'Create' ? createFiles : uploadFiles;
  log.info('The files were put', { files: await putFiles(deps) });
  return { PhysicalResourceId: PHYSICAL_ID };
}

import { deploymentIds } from '../domain/deploymentIds.ts';
import type { EcsCalls, S3Calls } from '../shared/adapters/aws/clients.ts';
import { type Archive, s3Archive } from '../shared/archive.ts';
import { dropCaches } from '../shared/caches.ts';
import type { Api } from '../shared/http/guard.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { parseGitUrl } from '../shared/repo/gitUrl.ts';
import { stopBuilds } from '../shared/stopBuilds.ts';
import { forbidPublication } from '../shared/verdict.ts';
import { createApi } from './app.ts';
import type { ApiDeps } from './deps.ts';

type Given = 'store' | 'queue' | 'bus' | 'waker' | 'logs' | 'tickets' | 'clock' | 'authenticate' | 'secretBox' | 'log';

export interface ApiPorts extends Pick<ApiDeps, Given> {
  readonly s3: S3Calls;
  readonly ecs: EcsCalls;
  /** @default - the one in the bucket */
  readonly archive?: Archive;
}

export interface ApiSettings
  extends Pick<ApiDeps, 'linkOrigin' | 'siteAddresses' | 'supersede' | 'analyze' | 'logStreamUrl' | 'health'> {
  readonly bucket: string;
  /** Which repositories are accepted. */
  readonly gitPolicy: GitPolicy;
}

export function composeApi(ports: ApiPorts, { bucket, gitPolicy, ...settings }: ApiSettings): Api {
  const { s3, ecs, queue, clock } = ports;
  return createApi({
    ...ports,
    ...settings,
    archive: ports.archive ?? s3Archive(s3, bucket),
    newId: deploymentIds(clock),
    normaliseGitUrl: (url) => parseGitUrl(url, gitPolicy).href,
    stopBuilds: stopBuilds({ queue, ecs }),
    dropCaches: dropCaches(s3, bucket),
    forbidPublication: forbidPublication({ s3, bucket, clock }),
  });
}

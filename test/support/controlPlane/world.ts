import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DEFAULT_REGION } from '../../../contract/names.ts';
import type { BuildResources } from '../../../lambdas/build-worker/services/credentials.ts';
import type { EventBus } from '../../../lambdas/shared/ports.ts';
import { createCredentialStore } from '../../../local/awsProtocol/credentials.ts';
import type { ServiceError } from '../../../local/awsProtocol/serviceError.ts';
import { startS3Endpoint } from '../../../local/s3/endpoint.ts';
import { startStsEndpoint } from '../../../local/sts/endpoint.ts';
import { type SimulatedEcs, type SimulatedFault, simulatedEcs } from './simulatedEcs.ts';
import { type StandInOptions, standIn } from './standIn.ts';

export const BUCKET = 'veren-v2';

/** What the credentials of builds are for. */
export const buildResources = (bucket: string): BuildResources => ({
  buildRoleArn: 'arn:aws:iam::000000000000:role/veren-build',
  bucketArn: `arn:aws:s3:::${bucket}`,
  userImagesArn: `arn:aws:ecr:${DEFAULT_REGION}:000000000000:repository/my-backend`,
});

/** Time that a test can put forward; otherwise it passes as it does. */
export function movableClock() {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    advance(ms: number) {
      ahead += ms;
    },
  };
}

/** S3, STS and (simulated) ECS, shared by the tests of a file; what they do wrong is set by each test. */
export async function openWorld() {
  const dataDir = await mkdtemp(join(tmpdir(), 'veren-world-'));
  const credentials = await createCredentialStore({ dataDir });
  const faults: {
    ecs?: ((operation: string) => SimulatedFault | undefined) | undefined;
    sts?: (() => ServiceError | undefined) | undefined;
  } = {};
  const s3Endpoint = await startS3Endpoint({ dataDir, credentials });
  const sts = await startStsEndpoint({ credentials, fault: () => faults.sts?.() });
  const s3 = new S3Client({
    region: DEFAULT_REGION,
    credentials: credentials.root,
    endpoint: s3Endpoint.url,
    forcePathStyle: true,
  });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const opened: SimulatedEcs[] = [];
  return {
    dataDir,
    credentials,
    faults,
    s3,
    sts: sts.url,
    s3Url: s3Endpoint.url,
    /** An ECS of the test's own; the bus is where its tasks report. */
    async ecs(
      bus: () => EventBus,
      onStopped: (event: object) => void,
      builder: Partial<StandInOptions> = {},
    ): Promise<SimulatedEcs> {
      const late: EventBus = { publish: (...args) => bus().publish(...args) };
      const ecs = await simulatedEcs({
        container: standIn({ bus: late, s3, bucket: BUCKET, ...builder }),
        onStopped,
        ...(builder.now && { now: builder.now }),
        fault: (operation) => faults.ecs?.(operation),
      });
      opened.push(ecs);
      return ecs;
    },
    /** What a control plane has to know of all this, with the ECS that it is to use. */
    around: (ecs: { readonly url: string }) => ({
      endpoints: { ecs: ecs.url, sts: sts.url, s3: s3Endpoint.url },
      credentials: credentials.root,
      bucket: BUCKET,
    }),
    async close() {
      await Promise.all(opened.map((ecs) => ecs.close()));
      s3.destroy();
      await Promise.all([s3Endpoint.close(), sts.close()]);
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
export type World = Awaited<ReturnType<typeof openWorld>>;

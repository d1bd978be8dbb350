import { openEcs, openLambda, openS3, openSecrets, openSts } from '../shared/adapters/aws/clients.ts';
import { type DrainContext, drainWithinTime } from '../shared/adapters/aws/drain.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog, withRequestId } from '../shared/logger.ts';
import { lazyAsync } from '../shared/once.ts';
import { kafkaEnv, openSignedBus } from '../shared/openKafka.ts';
import { openRedis } from '../shared/openRedis.ts';
import { gitPolicy } from '../shared/repo/policyOfHosts.ts';
import { secretBox } from '../shared/secretBox.ts';
import { secretKeys } from '../shared/secrets.ts';
import { signingSecret } from '../shared/signingSecret.ts';
import { readECSConfig } from './config/ECSconfig.ts';
import { platformContext } from './services/platformContext.ts';

const env = readEnv('build-worker');
const log = jsonLog('build-worker');

/** With the SDK's three attempts each, both calls end before the lease of the job that they are for. */
const ANSWER_WITHIN = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

const worker = lazyAsync(async () => {
  const [{ queue, store }, kafka, buildersKafka, { composeBuildWorker }, { urlSigner }] = await Promise.all([
    openRedis(env, log),
    kafkaEnv(env),
    kafkaEnv({ ...env, KAFKA_SECRET_ARN: env.KAFKA_BUILDER_SECRET_ARN }),
    import('./compose.ts'),
    import('../shared/adapters/aws/urlSigner.ts'),
  ]);
  const endpoint = env.BUILDER_ENDPOINT_S3;
  return composeBuildWorker(
    {
      queue,
      store,
      bus: openSignedBus(kafka, env, 'veren-build-worker'),
      secretBox: secretBox(secretKeys(openSecrets(), env.DATA_KEY_SECRET_ARN, systemClock)),
      signing: signingSecret(openSecrets(), env.EVENT_SIGNING_SECRET_ARN, systemClock),
      ecs: openEcs({ requestHandler: ANSWER_WITHIN }),
      s3: openS3({ requestHandler: ANSWER_WITHIN }),
      sts: openSts({ requestHandler: ANSWER_WITHIN }),
      urlSigner: urlSigner(endpoint ? { endpoint, forcePathStyle: true } : {}),
      clock: systemClock,
      log,
    },
    {
      resources: {
        buildRoleArn: env.BUILD_ROLE_ARN,
        bucketArn: env.BUCKET_ARN,
        userImagesArn: env.USER_IMAGES_ARN,
        ...(env.KAFKA_CLUSTER_ARN && { kafkaClusterArn: env.KAFKA_CLUSTER_ARN }),
      },
      gitPolicy: gitPolicy(env.GIT_HOSTS),
      configs: readECSConfig(process.env),
      limits: {
        global: env.LIMIT_GLOBAL,
        perOwner: env.LIMIT_PER_OWNER,
        perProject: env.LIMIT_PER_PROJECT,
        owners: env.LIMIT_OWNERS,
      },
      network: {
        subnets: env.BUILDER_SUBNETS,
        securityGroups: env.BUILDER_SECURITY_GROUPS,
        assignPublicIp: env.BUILDER_PUBLIC_IP,
      },
      spot: env.BUILDER_SPOT,
      platform: platformContext(env, buildersKafka),
      s3Endpoint: process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL,
    },
  );
});

/** The event of a wake is empty: the worker looks into its queues. */
export const handler = withRequestId(async (_event?: unknown, context?: DrainContext): Promise<void> => {
  const onError = (error: unknown) => log.warn('A worker could not be woken, and the next sweep wakes it', { error });
  const { PROMOTION_LEASE_MS } = await import('./workers/promote.ts');
  await drainWithinTime({ lambda: openLambda(), onError }, context, PROMOTION_LEASE_MS, await worker());
});

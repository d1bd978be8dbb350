import { parseArgs } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { VerenError } from '../contract/errors.ts';
import { KafkaEnvSchema } from '../contract/kafka-env.ts';
import { DEFAULT_BUCKET, DEFAULT_REGION, TOPICS } from '../contract/names.ts';
import { connectRedis } from '../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../lambdas/shared/adapters/redis/ports.ts';
import { s3Archive } from '../lambdas/shared/archive.ts';
import { systemClock } from '../lambdas/shared/clock.ts';
import { openDocuments } from '../lambdas/shared/documents.ts';
import { makeLogArchiver } from '../lambdas/shared/logs/makeLogArchiver.ts';
import { openKafka } from '../lambdas/shared/openKafka.ts';
import { openCostStore } from '../lambdas/shared/projects/costStore.ts';
import { openProjectStore } from '../lambdas/shared/projects/projectStore.ts';
import { REDIS_PREFIX } from '../lambdas/shared/redisUsers.ts';
import type { Signing } from '../lambdas/shared/signing.ts';
import { verifyingSecret } from '../lambdas/shared/signingSecret.ts';
import { lockFolder } from '../local/adapters/memory/lock.ts';
import { createCredentialStore } from '../local/awsProtocol/credentials.ts';
import { laptopSigning } from '../local/platform/signing.ts';
import { textLog } from '../local/platform/textLog.ts';
import { startS3Endpoint } from '../local/s3/endpoint.ts';
import { clearLog } from '../operator/rebuild/clearLog.ts';
import { readTopics } from '../operator/rebuild/readTopics.ts';
import { rebuildState } from '../operator/rebuild/rebuild.ts';

const USAGE = `Usage: npm run rebuild -- [--data DIR]
Makes the state in Redis anew from the archive in S3 and the log in Kafka, and compares. Prints a report (JSON); exits 1
where something still differs.
  --data DIR   a laptop's data folder, whose S3 is used; its platform must be stopped
Environment: REDIS_URL, KAFKA_BROKERS and the other KAFKA_*; without --data also BUCKET, AWS_REGION,
EVENT_SIGNING_SECRET_ARN, ECR_URI (else images of any registry count) and what the AWS SDK reads`;

const EnvSchema = KafkaEnvSchema.extend({
  REDIS_URL: z.url(),
  BUCKET: z.string().min(3).default(DEFAULT_BUCKET),
  AWS_REGION: z.string().min(1).default(DEFAULT_REGION),
  EVENT_SIGNING_SECRET_ARN: z.string().min(1).optional(),
  ECR_URI: z.string().min(1).optional(),
});

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: { data: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help || positionals.length > 0) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const parsed = EnvSchema.safeParse(process.env);
  if (!parsed.success) {
    console.error(`${z.prettifyError(parsed.error)}\n\n${USAGE}`);
    return 2;
  }
  const env = parsed.data;
  const storage =
    values.data === undefined
      ? { s3: new S3Client({ region: env.AWS_REGION }), close: async () => {} }
      : await laptopS3(values.data);
  const signing = await signingOf(env, values.data);
  const redis = connectRedis({ url: env.REDIS_URL });
  const { store, logs, close } = openRedisPorts(redis, { prefix: REDIS_PREFIX });
  try {
    const archive = s3Archive(storage.s3, env.BUCKET);
    const kafka = await openKafka(env, 'veren-rebuild', env.AWS_REGION);
    const report = await rebuildState({
      store,
      logs,
      archive,
      archiveLog: makeLogArchiver({ logs, archive }),
      clearLog: (id) => clearLog(redis, REDIS_PREFIX, id),
      read: (onMessage) => readTopics(kafka, Object.values(TOPICS), onMessage),
      signing,
      place: { bucket: env.BUCKET, ...(env.ECR_URI && { ecrUri: env.ECR_URI }) },
      // As on the laptop's platform: one clock, which may have been set back.
      ...(values.data !== undefined && { maxClockSkewMs: Number.POSITIVE_INFINITY }),
      now: Date.now,
      projects: openProjectStore({ s3: storage.s3, bucket: env.BUCKET, clock: systemClock }),
      costs: openCostStore(openDocuments(storage.s3, env.BUCKET)),
    });
    console.log(JSON.stringify(report, null, 2));
    return report.differing.length === 0 ? 0 : 1;
  } finally {
    await close();
    redis.disconnect();
    await storage.close();
  }
}

/** The signing secret: from the laptop's data folder, or from the account. */
async function signingOf(env: z.output<typeof EnvSchema>, dataDir: string | undefined): Promise<Signing> {
  if (dataDir !== undefined) return laptopSigning(dataDir, Date.now());
  if (!env.EVENT_SIGNING_SECRET_ARN) throw new Error('EVENT_SIGNING_SECRET_ARN is missing.');
  const client = new SecretsManagerClient({ region: env.AWS_REGION });
  return verifyingSecret(client, env.EVENT_SIGNING_SECRET_ARN, systemClock, textLog())();
}

/** Starts the laptop's S3 endpoint, which otherwise runs only together with its platform. */
async function laptopS3(dataDir: string) {
  const unlock = await lockFolder(dataDir);
  try {
    const credentials = await createCredentialStore({ dataDir });
    const endpoint = await startS3Endpoint({ dataDir, credentials });
    const s3 = new S3Client({
      region: DEFAULT_REGION,
      credentials: credentials.root,
      endpoint: endpoint.url,
      forcePathStyle: true,
    });
    const close = async () => {
      s3.destroy();
      await endpoint.close();
      await unlock();
    };
    return { s3, close };
  } catch (e) {
    await unlock();
    throw e;
  }
}

main().then(
  (code) => process.exit(code),
  (e: unknown) => {
    console.error(e instanceof VerenError ? `${e.code}: ${e.message}` : e);
    process.exit(1);
  },
);

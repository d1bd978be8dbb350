import { parseArgs } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DEFAULT_BUCKET, DEFAULT_REGION } from '../contract/names.ts';
import { connectRedis } from '../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../lambdas/shared/adapters/redis/ports.ts';
import { systemClock } from '../lambdas/shared/clock.ts';
import type { DeploymentStore, JobQueue } from '../lambdas/shared/ports.ts';
import { REDIS_PREFIX } from '../lambdas/shared/redisUsers.ts';
import { secretKeys } from '../lambdas/shared/secrets.ts';
import { openMemoryPlatform } from '../local/adapters/memory/platform.ts';
import { createCredentialStore } from '../local/awsProtocol/credentials.ts';
import { laptopSecretKeys } from '../local/platform/secretKeys.ts';
import { startS3Endpoint } from '../local/s3/endpoint.ts';
import { type ResealReport, resealAll } from '../operator/reseal/resealAll.ts';

const USAGE = `Usage: npm run reseal -- [--data DIR]
Seals the variables of all projects, the secrets of their git hosts, and what requests of deployments have sealed, with
the current data key, after another key was made the current one. Prints what was sealed (JSON); exits 1 while jobs need an earlier key.
  --data DIR   a laptop's data folder; its platform must be stopped
Environment: REDIS_URL (on a laptop only where its platform has it); without --data also BUCKET, DATA_KEY_SECRET_ARN,
AWS_REGION and what the AWS SDK reads`;

type State = { readonly store: DeploymentStore; readonly queue: JobQueue };

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
  const report = await (values.data === undefined ? resealOnAws() : resealFolder(values.data));
  console.log(JSON.stringify(report, null, 2));
  return report.jobsOfEarlierKeys === 0 ? 0 : 1;
}

async function resealOnAws(): Promise<ResealReport> {
  const { BUCKET: bucket, DATA_KEY_SECRET_ARN: arn, REDIS_URL: url, AWS_REGION: region = DEFAULT_REGION } = process.env;
  if (!bucket || !arn || !url) throw new Error(USAGE);
  const keys = await secretKeys(new SecretsManagerClient({ region }), arn, systemClock)();
  const s3 = new S3Client({ region });
  return withRedis(url, (state) => resealAll({ s3, bucket, keys, ...state }));
}

async function resealFolder(dataDir: string): Promise<ResealReport> {
  // Locks the folder, too.
  const memory = await openMemoryPlatform({ dataDir, clock: systemClock });
  try {
    const keys = await laptopSecretKeys(dataDir);
    const credentials = await createCredentialStore({ dataDir });
    const endpoint = await startS3Endpoint({ dataDir, credentials });
    const options = { region: DEFAULT_REGION, credentials: credentials.root, forcePathStyle: true };
    const s3 = new S3Client({ ...options, endpoint: endpoint.url });
    const reseal = (state: State) => resealAll({ s3, bucket: DEFAULT_BUCKET, keys, ...state });
    try {
      return await (process.env.REDIS_URL ? withRedis(process.env.REDIS_URL, reseal) : reseal(memory));
    } finally {
      s3.destroy();
      await endpoint.close();
    }
  } finally {
    await memory.close();
  }
}

async function withRedis<T>(url: string, work: (state: State) => Promise<T>): Promise<T> {
  const redis = connectRedis({ url });
  const ports = openRedisPorts(redis, { prefix: REDIS_PREFIX });
  try {
    return await work(ports);
  } finally {
    await ports.close();
    redis.disconnect();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (e: Error) => {
    console.error(e.message);
    process.exitCode = 1;
  },
);

import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Hono } from 'hono';
import { streamHandle } from 'hono/aws-lambda';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { authenticateByHash } from '../shared/http/auth.ts';
import { jsonLog } from '../shared/logger.ts';
import { lazyAsync } from '../shared/once.ts';
import { openRedis } from '../shared/openRedis.ts';
import { tokenHashes } from '../shared/secrets.ts';
import { composeStreamer } from './compose.ts';

const env = readEnv('log-streamer');
const log = jsonLog('log-streamer');

const streamer = lazyAsync(async () => {
  const { store, logs } = await openRedis(env, log);
  const s3 = new S3Client({});
  const authenticate = authenticateByHash(
    tokenHashes(new SecretsManagerClient({}), env.TOKENS_SECRET_ARN, systemClock),
  );
  return composeStreamer({ store, logs, s3, authenticate, clock: systemClock, log }, { bucket: env.BUCKET });
});

/** A stream closes after two minutes, and clients resume it by `Last-Event-ID`. */
const app = new Hono();
app.all('*', async (c) => (await streamer()).fetch(c.req.raw));

export const handler = streamHandle(app);

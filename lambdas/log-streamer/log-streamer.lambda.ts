import { Hono } from 'hono';
import { streamHandle } from 'hono/aws-lambda';
import { openS3 } from '../shared/adapters/aws/clients.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog } from '../shared/logger.ts';
import { lazyAsync } from '../shared/once.ts';
import { openRedis } from '../shared/openRedis.ts';

const env = readEnv('log-streamer');
const log = jsonLog('log-streamer');

const streamer = lazyAsync(async () => {
  const [{ store, logs }, { composeStreamer }, { openAuthentication }] = await Promise.all([
    openRedis(env, log),
    import('./compose.ts'),
    import('../shared/people/openAuthentication.ts'),
  ]);
  const s3 = openS3();
  const authenticate = openAuthentication(env);
  return composeStreamer({ store, logs, s3, authenticate, clock: systemClock, log }, { bucket: env.BUCKET });
});

/** A stream closes after two minutes, and clients resume it by `Last-Event-ID`. */
const app = new Hono();
app.all('*', async (c) => (await streamer()).fetch(c.req.raw));

export const handler = streamHandle(app);

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { connectRedis } from './adapters/redis/connect.ts';
import { openRedisPorts, type RedisPorts } from './adapters/redis/ports.ts';
import type { Log } from './logger.ts';
import { REDIS_PREFIX } from './redisUsers.ts';
import { secretText } from './secrets.ts';

/** The ports behind a function's `REDIS_*` variables; the password comes from its secret. */
export async function openRedis(
  env: {
    readonly REDIS_URL: string;
    readonly REDIS_USERNAME?: string | undefined;
    readonly REDIS_SECRET_ARN?: string | undefined;
  },
  log: Log,
): Promise<RedisPorts> {
  const url = new URL(env.REDIS_URL);
  if (env.REDIS_USERNAME) url.username = env.REDIS_USERNAME;
  if (env.REDIS_SECRET_ARN) url.password = await secretText(new SecretsManagerClient({}), env.REDIS_SECRET_ARN);
  const redis = connectRedis({ url: url.href, onError: (error) => log.warn('Redis reported a fault', { error }) });
  return openRedisPorts(redis, { prefix: REDIS_PREFIX });
}

import { openSecrets } from './adapters/aws/clients.ts';
import type { RedisPorts } from './adapters/redis/ports.ts';
import type { Log } from './logger.ts';
import { REDIS_PREFIX } from './redisUsers.ts';
import { secretText } from './secrets.ts';

/** The ports behind a function's `REDIS_*` variables. The client is loaded while its password is fetched from the secret. */
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
  const [password, { connectRedis }, { openRedisPorts }] = await Promise.all([
    env.REDIS_SECRET_ARN ? secretText(openSecrets(), env.REDIS_SECRET_ARN) : '',
    import('./adapters/redis/connect.ts'),
    import('./adapters/redis/ports.ts'),
  ]);
  if (password) url.password = password;
  const redis = connectRedis({ url: url.href, onError: (error) => log.warn('Redis reported a fault', { error }) });
  return openRedisPorts(redis, { prefix: REDIS_PREFIX });
}

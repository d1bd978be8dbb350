import { Redis } from 'ioredis';

/** Attempts to reconnect after which a waiting command fails; with the delays below about two seconds. */
const MAX_RETRIES = 5;

/**
 * A connection to Redis or Valkey. TLS and credentials come with the URL (`rediss://user:password@host:port/db`). A command
 * waits for a connection for a bounded time; one that was in flight when the connection broke is sent again, so every
 * script has an id of its call (`scripts.ts`).
 */
export function connectRedis(options: { url: string; onError?: (error: Error) => void }): Redis {
  const redis = new Redis(options.url, {
    maxRetriesPerRequest: MAX_RETRIES,
    retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    connectTimeout: 5_000,
    commandTimeout: 8_000,
    keepAlive: 10_000,
    // After a failover the old primary answers READONLY: reconnect, so that the name is resolved again.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  // Each failed command rejects by itself; without a listener ioredis would write to the console as well.
  redis.on('error', (error: Error) => options.onError?.(error));
  return redis;
}

import type { Redis } from 'ioredis';
import { TARGETS } from '../../contract/builders.ts';
import { MAX_ATTEMPT } from '../../lambdas/domain/reduce.ts';
import { withRedisRetry } from '../../lambdas/shared/adapters/redis/available.ts';

/**
 * Removes the log of a deployment from Redis. No function may do that (`permissions.ts` gives them no `unlink` on
 * logs); it is for a rebuild, for which an operator makes a user of its own.
 */
export async function clearLog(redis: Redis, prefix: string, deploymentId: string): Promise<void> {
  const base = `${prefix}:{log-${deploymentId}}:`;
  const attempts = Array.from({ length: MAX_ATTEMPT }, (_, i) => i + 1);
  const ahead = TARGETS.flatMap((target) => attempts.map((n) => `${base}ahead:${target}:${n}`));
  await withRedisRetry(() => redis.unlink(`${base}lines`, `${base}meta`, ...ahead));
}

import type { Clock } from '../../ports.ts';

export interface RedisPortOptions {
  /** What every key and channel starts with. */
  readonly prefix: string;
  /** @default Redis's own clock, which is the same for all functions */
  readonly clock?: Clock;
}

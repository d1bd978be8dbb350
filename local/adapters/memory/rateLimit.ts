import type { Clock, RateLimit } from '../../../lambdas/shared/ports.ts';
import { countWithin, waitForRoom, windowAt } from '../../../lambdas/shared/slidingWindow.ts';

interface Counter {
  readonly index: number;
  readonly before: number;
  readonly current: number;
}

/** Counters of this process; a restart forgets them. There are as many as owners have limits. */
export function memoryRateLimit(clock: Clock): RateLimit {
  const counters = new Map<string, Counter>();
  const counterAt = (key: string, windowMs: number, index: number): Counter => {
    const known = counters.get(`${windowMs}:${key}`);
    if (known?.index === index) return known;
    return { index, before: known?.index === index - 1 ? known.current : 0, current: 0 };
  };
  return {
    async take(key, limit, windowMs) {
      const { index, elapsed } = windowAt(clock.now(), windowMs);
      const counter = counterAt(key, windowMs, index);
      if (countWithin(counter, elapsed, windowMs) + 1 > limit)
        return { taken: false, waitMs: waitForRoom(counter, limit, elapsed, windowMs) };
      counters.set(`${windowMs}:${key}`, { ...counter, current: counter.current + 1 });
      return { taken: true, waitMs: 0 };
    },
    async count(key, windowMs) {
      const { index, elapsed } = windowAt(clock.now(), windowMs);
      return Math.ceil(countWithin(counterAt(key, windowMs, index), elapsed, windowMs));
    },
  };
}

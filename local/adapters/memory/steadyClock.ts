import type { Clock } from '../../../lambdas/shared/ports.ts';

/**
 * A clock for durations that never goes back: when the system's clock is set back, this one continues from where it
 * was.
 */
export function steadyClock(clock: Clock): Clock {
  let last = Number.NEGATIVE_INFINITY;
  let ahead = 0;
  return {
    now() {
      const now = clock.now();
      if (now < last) ahead += last - now;
      last = now;
      return now + ahead;
    },
  };
}

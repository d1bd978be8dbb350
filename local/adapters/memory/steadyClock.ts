import type { Clock } from '../../../lambdas/shared/ports.ts';

/** The clock, but never going back: when that is set back, this one goes on from where it was. For how long things last. */
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

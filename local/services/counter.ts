import type { ServiceCounts } from '../../contract/services.ts';
import type { Clock } from '../../lambdas/shared/ports.ts';

interface Counted {
  requests: number;
  errors: number;
  coldStarts: number;
  totalMs: number;
  maxMs: number;
}

/** Numbers of every project since the platform has started. */
export class ServiceCounter {
  readonly #since: string;
  readonly #projects = new Map<string, Counted>();

  constructor(clock: Clock) {
    this.#since = new Date(clock.now()).toISOString();
  }

  count(projectId: string, ms: number, failed: boolean): void {
    const counted = this.#counted(projectId);
    counted.requests++;
    if (failed) counted.errors++;
    counted.totalMs += ms;
    counted.maxMs = Math.max(counted.maxMs, ms);
  }

  countColdStart(projectId: string): void {
    this.#counted(projectId).coldStarts++;
  }

  of(projectId: string): ServiceCounts {
    const { requests, errors, coldStarts, totalMs, maxMs } = this.#projects.get(projectId) ?? NOTHING;
    const mean = requests === 0 ? 0 : Math.round((totalMs / requests) * 10) / 10;
    return { since: this.#since, requests, errors, coldStarts, durationMs: { mean, max: Math.round(maxMs) } };
  }

  forget(projectId: string): void {
    this.#projects.delete(projectId);
  }

  #counted(projectId: string): Counted {
    const known = this.#projects.get(projectId);
    if (known) return known;
    const counted = { ...NOTHING };
    this.#projects.set(projectId, counted);
    return counted;
  }
}

const NOTHING: Counted = { requests: 0, errors: 0, coldStarts: 0, totalMs: 0, maxMs: 0 };

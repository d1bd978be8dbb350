import type { Role } from '../test/support/controlPlane/controlPlane.ts';
import { type Life, life } from '../test/support/controlPlane/life.ts';
import { percentile } from './_stats.ts';

interface Call {
  readonly name: string;
  readonly from: number;
  to: number;
}

/**
 * What the functions do between two moments: every call of a port or an SDK client that ends there, with its function.
 * Calls that run at the same time are shown side by side, so the times do not add up to the whole.
 */
export class Steps {
  readonly #lives = new Map<Role, Life>();
  #calls: Call[] | null = null;
  readonly #runs: { readonly from: number; readonly calls: readonly Call[]; readonly to: number }[] = [];

  /** The life that notes its calls: for `controlPlane`'s `lives`. */
  readonly of = (role: Role): Life => {
    const known = this.#lives.get(role);
    if (known) return known;
    const own = life();
    const noting: Life = { ...own, wrap: (port) => this.#noting(role, own.wrap(port)) };
    this.#lives.set(role, noting);
    return noting;
  };

  /** Notes from here on; the function that it gives ends a run. */
  start(): (to: number) => void {
    const [from, calls] = [performance.now(), [] as Call[]];
    this.#calls = calls;
    return (to) => {
      this.#calls = null;
      this.#runs.push({ from, to, calls: calls.filter((c) => c.from <= to) });
    };
  }

  /** Medians over the runs, in the order in which the calls begin: when it began, and how long it took (ms). */
  table(): string[] {
    const rows = new Map<string, { from: number[]; took: number[] }>();
    for (const run of this.#runs) {
      const seen = new Map<string, number>();
      for (const call of run.calls) {
        const nth = (seen.get(call.name) ?? 0) + 1;
        seen.set(call.name, nth);
        const name = nth === 1 ? call.name : `${call.name} (${nth})`;
        const row = rows.get(name) ?? { from: [], took: [] };
        rows.set(name, row);
        row.from.push(call.from - run.from);
        row.took.push(Math.min(call.to, run.to) - call.from);
      }
    }
    return [...rows]
      .filter(([, row]) => row.from.length > this.#runs.length / 2)
      .map(([name, row]) => ({ name, from: percentile(row.from, 0.5), took: percentile(row.took, 0.5) }))
      .toSorted((a, b) => a.from - b.from)
      .map(({ name, from, took }) => `${from.toFixed(2).padStart(6)} ms  +${took.toFixed(2)}  ${name}`);
  }

  #noting<T extends object>(role: Role, port: T): T {
    return new Proxy(port, {
      get: (target, method) => {
        const value = Reflect.get(target, method) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const answer = (value as (...a: unknown[]) => unknown).apply(target, args);
          const calls = this.#calls;
          if (!calls || !(answer instanceof Promise)) return answer;
          const call: Call = { name: `${role}: ${nameOf(method, args)}`, from: performance.now(), to: Infinity };
          calls.push(call);
          const end = () => {
            call.to = performance.now();
          };
          answer.then(end, end);
          return answer;
        };
      },
    });
  }
}

/** `AssumeRole`, `take build`, `note build asked`, `publish deployment.analyzed`. */
function nameOf(method: string | symbol, [first, second, third]: unknown[]): string {
  if (method === 'send') return (first as object).constructor.name.replace(/Command$/, '');
  const words = [String(method)];
  if (method === 'publish') {
    for (const { value } of second as { value: string }[]) words.push((JSON.parse(value) as { type: string }).type);
    return words.join(' ');
  }
  if (typeof first === 'string' && /^[a-z-]+$/.test(first)) words.push(first);
  if (method === 'note') words.push(...Object.keys(third as object));
  return words.join(' ');
}

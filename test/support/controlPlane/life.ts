/**
 * One run of a function, which may be killed: from then on none of its calls is made or answered, as after `kill -9`.
 * What it was doing hangs for ever; `run` rejects, so that whoever invoked it goes on.
 */
export interface Life {
  /** The same object, whose calls count as steps of this life. */
  wrap<T extends object>(port: T): T;
  run<T>(work: () => Promise<T>): Promise<T>;
  readonly killed: boolean;
}

export class Killed extends Error {}

/** When to die: at the n-th call (from 1), before it is made or after it was carried out and before the answer is seen. */
export interface Death {
  readonly step: number;
  readonly when: 'before' | 'after';
}

export function life(death?: Death): Life {
  const never = new Promise<never>(() => undefined);
  let steps = 0;
  let dead = false;
  let die: (e: Killed) => void = () => undefined;
  const end = new Promise<never>((_, reject) => {
    die = reject;
  });
  end.catch(() => undefined);
  const kill = () => {
    dead = true;
    die(new Killed(`killed ${death?.when} step ${death?.step}`));
    return never;
  };
  const isEnd = (step: number) => dead || step === death?.step;
  const call = (target: object, method: (...args: unknown[]) => unknown, args: unknown[]): unknown => {
    if (dead) return never;
    const step = ++steps;
    if (step === death?.step && death.when === 'before') return kill();
    const answer = method.apply(target, args);
    if (!(answer instanceof Promise)) return answer;
    return answer.then(
      (value) => (isEnd(step) ? kill() : value),
      (error) => {
        if (isEnd(step)) return kill();
        throw error;
      },
    );
  };
  return {
    get killed() {
      return dead;
    },
    wrap: <T extends object>(port: T): T =>
      new Proxy(port, {
        get(target, name) {
          const value = Reflect.get(target, name) as unknown;
          return typeof value === 'function'
            ? (...args: unknown[]) => call(target, value as () => unknown, args)
            : value;
        },
      }),
    run: (work) => Promise.race([work(), end]),
  };
}

import { type Fetching, startFetch, unusableVariables } from './fetch.ts';
import { readHandover } from './handover.ts';

export interface Begun {
  /** The environment as it was handed over, with VEREN_WORK where a work folder was made. */
  readonly raw: Readonly<Record<string, string>>;
  /** See `OpenedHandover`. */
  readonly claimed: Promise<void>;
  /** Null where the environment does not allow one. */
  readonly fetching: Fetching | null;
  /** For whoever takes signals from now on; until then one ends the builder with everything that it has started. */
  readonly releaseSignals: () => void;
}

const SIGNALS = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

/**
 * The first thing that a builder does: reads its environment and starts the fetch, which runs while the SDK and the rest
 * are loaded. So this imports nothing that is heavy.
 */
export async function beginBuild(): Promise<Begun> {
  const handlers = Object.entries(SIGNALS).map(([signal, code]) => {
    const exitNow = () => process.exit(code);
    process.on(signal, exitNow);
    return () => process.off(signal, exitNow);
  });
  const releaseSignals = () => {
    for (const release of handlers) release();
  };
  const given = readHandover(process.env);
  // Loaded where there is one: what it checks with is not light.
  const { raw, claimed } =
    given.HANDOVER_URL === undefined
      ? { raw: given, claimed: Promise.resolve() }
      : await (await import('./open-handover.ts')).openHandover(given);
  if (unusableVariables(raw).length > 0) return { raw, claimed, fetching: null, releaseSignals };
  const fetching = startFetch(raw);
  // Programs that ask for a home folder get one where nobody else can leave a configuration.
  process.env.HOME = `${fetching.work}/control`;
  return { raw: { ...raw, VEREN_WORK: fetching.work }, claimed, fetching, releaseSignals };
}

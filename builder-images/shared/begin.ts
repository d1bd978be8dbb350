import { type Fetching, startFetch, unusableVariables } from './fetch.ts';
import { readHandover } from './handover.ts';

export interface Begun {
  /** The environment as it was handed over, with VEREN_WORK where a work folder was made. */
  readonly raw: Readonly<Record<string, string>>;
  /** See `OpenedHandover`. */
  readonly claimed: Promise<void>;
  /** Null where the environment does not allow one. */
  readonly fetching: Fetching | null;
  /**
   * Hands signals over to the caller; until it is called, a signal ends the builder with everything that it has
   * started.
   */
  readonly releaseSignals: () => void;
}

const SIGNALS = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

/**
 * The first step of a builder: reads its environment and starts the fetch, which runs while the SDK and the other
 * modules are loaded. So this file must not import anything that is slow to load.
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
  // Loaded only where it is needed, since the module for its checks is slow to load.
  const { raw, claimed } =
    given.HANDOVER_URL === undefined
      ? { raw: given, claimed: Promise.resolve() }
      : await (await import('./open-handover.ts')).openHandover(given);
  if (unusableVariables(raw).length > 0) return { raw, claimed, fetching: null, releaseSignals };
  const fetching = startFetch(raw);
  // The home folder for programs of the builder is one in which nobody else can leave a configuration.
  process.env.HOME = `${fetching.work}/control`;
  return { raw: { ...raw, VEREN_WORK: fetching.work }, claimed, fetching, releaseSignals };
}

import { useEffect, useRef } from 'preact/hooks';
import type { ServerMessage } from '../../contract/websocket.ts';
import { useShared } from '../ui/shareValue.ts';
import { type LiveState, type LiveSubject, liveConnection } from './LiveConnection.ts';

/** Hears what changes of some subjects while the component is shown. */
export function useLive(subjects: readonly LiveSubject[], hear: (message: ServerMessage) => void): void {
  const latest = useRef(hear);
  latest.current = hear;
  const names = subjects.join('\n');
  useEffect(() => {
    const ends = names
      .split('\n')
      .filter(Boolean)
      .map((subject) => liveConnection.listen(subject as LiveSubject, (message) => latest.current(message)));
    return () => {
      for (const end of ends) end();
    };
  }, [names]);
}

export const useLiveState = (): LiveState => useShared(liveConnection.state);

/**
 * Loads something again whenever one of the subjects changes, and while the connection is away, every so often.
 * @param pollMs 0: it will not change any more, so it is not asked for
 */
export function useLiveReload(subjects: readonly LiveSubject[], reload: () => void, pollMs: number): void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => () => clearTimeout(timer.current), []);
  useLive(subjects, () => {
    // Several changes come at once, e.g. the end of one phase and the beginning of the next.
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, GATHER_MS);
  });
  const state = useLiveState();
  useEffect(() => {
    if (state === 'live' || pollMs === 0) return;
    const poll = setInterval(() => latest.current(), pollMs);
    return () => clearInterval(poll);
  }, [state, pollMs]);
}

const GATHER_MS = 150;

import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogLine } from '../../../contract/events.ts';
import { type FollowState, followLog } from '../../live/followLog.ts';

/** Lines that come within this time are shown together: a build may write thousands in a second. */
const GATHER_MS = 80;

export interface FollowedLines {
  /** Grows in place: `count` tells that it did. */
  readonly lines: readonly LogLine[];
  readonly count: number;
  readonly state: FollowState;
}

/** The log of a deployment, followed while the component is shown. */
export function useLog(deploymentId: string, onChange: () => void, onEnd: () => void): FollowedLines {
  const lines = useRef<LogLine[]>([]);
  const [count, setCount] = useState(0);
  const [state, setState] = useState<FollowState>('connecting');
  const heard = useRef({ onChange, onEnd });
  heard.current = { onChange, onEnd };

  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    lines.current = [];
    setCount(0);
    void followLog(
      deploymentId,
      {
        onLines(news) {
          for (const line of news) lines.current.push(line);
          timer ??= setTimeout(() => {
            timer = undefined;
            setCount(lines.current.length);
          }, GATHER_MS);
        },
        onChange: () => heard.current.onChange(),
        onState(next) {
          setState(next);
          if (next === 'ended') heard.current.onEnd();
        },
      },
      ending.signal,
    );
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [deploymentId]);
  return { lines: lines.current, count, state };
}

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { DeploymentView } from '../../../contract/api.ts';
import { messageOf } from '../../api/callApi.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { ScrollBox } from '../../ui/ScrollBox.tsx';
import { BLOCK, LogBlock } from './LogLines.tsx';
import { LogTools } from './LogTools.tsx';
import { findLines, formatLog, lineOfFragment } from './logLines.ts';
import { useLog } from './useLog.ts';

/** Lines that are shown; what is before them can be downloaded. */
const MAX_SHOWN = 20_000;
/** Pixels from the end within which the log still counts as scrolled to its end. */
const NEAR_END = 40;

interface LogViewProps {
  readonly record: DeploymentView;
  readonly onChange: () => void;
  readonly onEnd: () => void;
}

/** The log, which keeps its end in sight until it is scrolled away or a line is pointed at. */
export function LogView({ record, onChange, onEnd }: LogViewProps) {
  const { lines, count, state } = useLog(record.deploymentId, onChange, onEnd);
  const box = useRef<HTMLElement>(null);
  const [chosen, setChosen] = useState(() => lineOfFragment(location.hash));
  const [query, setQuery] = useState('');
  const [followed, setFollowed] = useState(chosen === null);
  const found = useMemo(() => findLines(lines, query), [lines, count, query]);
  const showTarget = record.builds.frontend !== undefined && record.builds.backend !== undefined;
  const first = Math.max(0, Math.floor((count - MAX_SHOWN) / BLOCK) * BLOCK);

  useEffect(() => {
    const read = () => choose(lineOfFragment(location.hash));
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  const choose = (seq: number | null) => {
    setChosen(seq);
    if (seq !== null) setFollowed(false);
  };

  useLayoutEffect(() => {
    if (followed && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [count, followed]);
  // Once, when the line that the address names has come.
  const hasChosen = chosen !== null && count > 0 && (lines.at(-1)?.seq ?? 0) >= chosen;
  useLayoutEffect(() => {
    if (hasChosen) document.getElementById(`L${chosen}`)?.scrollIntoView({ block: 'center' });
  }, [chosen, hasChosen]);

  const goTo = (seq: number) => {
    // Replaced, not pushed: a way back through every match would be none.
    history.replaceState(null, '', `#L${seq}`);
    choose(seq);
  };
  const blocks = [];
  const marked = query.trim().toLowerCase();
  for (let from = first; from < count; from += BLOCK) {
    const to = Math.min(from + BLOCK, count);
    const isIn = chosen !== null && chosen >= lines[from]!.seq && chosen <= lines[to - 1]!.seq;
    blocks.push(
      <LogBlock
        key={from}
        {...{ lines, from, to, query: marked, showTarget, isLast: to === count }}
        chosen={isIn ? chosen : null}
      />,
    );
  }
  return (
    <section class="log" aria-labelledby="log">
      <div class="section-head">
        <h2 id="log">Log</h2>
        <p class="soft small" role="status">
          {typeof state === 'string' ? STATES[state] : 'Not available'}
          {count > 0 && ` · ${count} ${count === 1 ? 'line' : 'lines'}`}
        </p>
      </div>
      {typeof state === 'object' && (
        <Notice kind="bad" title="The log could not be read">
          <p>{messageOf(state.failed)}</p>
        </Notice>
      )}
      <LogTools
        found={found.map((i) => lines[i]!.seq)}
        chosen={chosen}
        query={query}
        onQuery={setQuery}
        onChoose={goTo}
        onDownload={() => saveText(`${record.projectId}-${record.deploymentId}.log`, formatLog(lines))}
      />
      <ScrollBox
        boxRef={box}
        class="log-box"
        label="Lines of the log"
        onScroll={({ scrollHeight, scrollTop, clientHeight }) =>
          setFollowed(scrollHeight - scrollTop - clientHeight < NEAR_END)
        }
      >
        {count === 0 && (
          <p class="log-empty">{state === 'ended' ? 'Nothing was written.' : 'Nothing was written yet.'}</p>
        )}
        {first > 0 && <p class="log-empty">The first {first} lines are in the download.</p>}
        {blocks}
      </ScrollBox>
      {!followed && state !== 'ended' && (
        <div class="log-follow">
          <Button onClick={() => setFollowed(true)}>Follow the end</Button>
        </div>
      )}
    </section>
  );
}

const STATES = {
  connecting: 'Connecting …',
  following: 'Live',
  polling: 'Asked for every two seconds',
  ended: 'Complete',
} as const;

function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

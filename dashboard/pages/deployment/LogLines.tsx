import type { LogLine } from '../../../contract/events.ts';
import { memo } from './memo.ts';
import { parseAnsi, type Span } from './parseAnsi.ts';

/** Lines of one block: the browser lays out only the blocks that are seen. */
export const BLOCK = 200;

interface BlockProps {
  readonly lines: readonly LogLine[];
  readonly from: number;
  readonly to: number;
  /** Lower case; empty: nothing is marked. */
  readonly query: string;
  /** `seq` of the line that is pointed at; only where it is in this block. */
  readonly chosen: number | null;
  readonly showTarget: boolean;
  readonly isLast: boolean;
}

/** Some lines of the log. It is drawn again only when it has more lines or something else is marked. */
export const LogBlock = memo(function LogBlock({ lines, from, to, query, chosen, showTarget, isLast }: BlockProps) {
  return (
    <div class={isLast ? undefined : 'log-block-full'}>
      {lines.slice(from, to).map(({ seq, target, stream, line }) => (
        <div key={seq} id={`L${seq}`} class={`log-line log-${stream}${seq === chosen ? ' log-chosen' : ''}`}>
          <a class="log-number" href={`#L${seq}`} tabIndex={-1} aria-label={`Line ${seq}`}>
            {seq}
          </a>
          {showTarget && <span class="log-target">{target}</span>}
          <span class="log-text">
            {parseAnsi(line).map((span, i) => (
              <Look key={i} span={span} query={query} />
            ))}
          </span>
        </div>
      ))}
    </div>
  );
});

function Look({ span, query }: { readonly span: Span; readonly query: string }) {
  const { text, color, ground, bold, dim, italic, underline, inverse } = span;
  const names = [
    typeof color === 'number' && `ansi-color-${color}`,
    ground !== undefined && `ansi-ground ansi-ground-${ground}`,
    bold && 'ansi-bold',
    dim && 'ansi-dim',
    italic && 'ansi-italic',
    underline && 'ansi-underline',
    inverse && 'ansi-inverse',
  ].filter(Boolean);
  if (names.length === 0 && color === undefined) return <>{markQuery(text, query)}</>;
  return (
    <span class={names.join(' ')} style={typeof color === 'string' ? { color } : undefined}>
      {markQuery(text, query)}
    </span>
  );
}

function markQuery(text: string, query: string) {
  if (query === '') return text;
  const lower = text.toLowerCase();
  // Letters whose lower case is longer would shift the places.
  if (lower.length !== text.length) return text;
  const parts = [];
  let from = 0;
  for (let at = lower.indexOf(query); at >= 0; at = lower.indexOf(query, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + query.length)}</mark>);
    from = at + query.length;
  }
  return [...parts, text.slice(from)];
}

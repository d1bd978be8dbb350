import { Button } from '../../ui/Button.tsx';
import { useAction } from '../../ui/useAction.ts';

interface LogToolsProps {
  /** `seq` of every line with the query in it, in order. */
  readonly found: readonly number[];
  readonly chosen: number | null;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly onChoose: (seq: number) => void;
  readonly onDownload: () => void;
}

/** Search, with Enter to the next match and Shift+Enter to the one before; a link to a line; the file. */
export function LogTools({ found, chosen, query, onQuery, onChoose, onDownload }: LogToolsProps) {
  const place = chosen === null ? -1 : found.indexOf(chosen);
  const goBy = (step: 1 | -1) => {
    if (found.length === 0) return;
    const next = place >= 0 ? place + step : nearestPlace(found, chosen ?? 0, step);
    onChoose(found[(next + found.length) % found.length]!);
  };
  // Browsers have a clipboard at https and on this machine only; the number of a line is a link anyway.
  const copy = useAction(() => navigator.clipboard.writeText(location.href), 'The link is copied.');
  return (
    <div class="log-tools">
      <search>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            goBy(1);
          }}
        >
          <input
            type="search"
            aria-label="Search in the log"
            placeholder="Search"
            value={query}
            onInput={(event) => onQuery(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' || !event.shiftKey) return;
              event.preventDefault();
              goBy(-1);
            }}
          />
          {query.trim() !== '' && (
            <>
              <span class="soft small log-count" role="status">
                {found.length === 0
                  ? 'No line'
                  : place >= 0
                    ? `${place + 1} of ${found.length}`
                    : `${found.length} lines`}
              </span>
              <Button label="The match before" onClick={() => goBy(-1)} disabled={found.length === 0}>
                ↑
              </Button>
              <Button label="The next match" type="submit" disabled={found.length === 0}>
                ↓
              </Button>
            </>
          )}
        </form>
      </search>
      {chosen !== null && navigator.clipboard !== undefined && (
        <Button busy={copy.busy} onClick={() => copy.run()}>
          Copy link to line {String(chosen)}
        </Button>
      )}
      <Button onClick={onDownload}>Download</Button>
    </div>
  );
}

/** Where a search begins that no match was chosen of: at the first one in its direction. */
function nearestPlace(found: readonly number[], from: number, step: 1 | -1): number {
  const after = found.findIndex((seq) => seq > from);
  if (step === 1) return after < 0 ? 0 : after;
  return after < 0 ? found.length - 1 : after - 1;
}

import type { LogLine } from '../../../contract/events.ts';
import type { FollowDeps } from './followLog.ts';

export interface LogPage {
  /** NDJSON. */
  readonly text: string;
  /** `seq` of the last line, where there may be more after it. */
  readonly next?: number;
}

/**
 * Bytes of a page. Lambda's answer ends at 6 MB, in which the body is base64 (a third more) or a JSON string (twice as
 * much at worst). A line of 8,192 characters that are all escaped has 50 KB, so one always fits.
 */
export const MAX_PAGE_BYTES = 2_500_000;
/** Lines read at once. */
const CHUNK = 1_000;

/**
 * The lines after `after`, as many as fit both limits, from Redis or, where they are no longer there, from the archive.
 */
export async function readLogPage(
  deps: Pick<FollowDeps, 'logs' | 'archive'>,
  deploymentId: string,
  after: number,
  limit: number,
): Promise<LogPage> {
  const page = new PageWriter(after, limit);
  while (page.open) {
    const lines = await deps.logs.read(deploymentId, page.seen, Math.min(CHUNK, page.room + 1));
    if (lines.length === 0) break;
    page.add(lines);
  }
  if (page.seen > after || !page.open || (await deps.logs.read(deploymentId, 0, 1)).length > 0) return page.end();
  page.add((await deps.archive.readLog(deploymentId, after, limit + 1)) ?? []);
  return page.end();
}

class PageWriter {
  #text = '';
  #bytes = 0;
  #full = false;
  seen: number;
  room: number;

  constructor(after: number, limit: number) {
    this.seen = after;
    this.room = limit;
  }

  get open(): boolean {
    return !this.#full;
  }

  add(lines: readonly LogLine[]): void {
    for (const line of lines) {
      const text = `${JSON.stringify(line)}\n`;
      const bytes = Buffer.byteLength(text);
      if (this.room === 0 || this.#bytes + bytes > MAX_PAGE_BYTES) {
        this.#full = true;
        return;
      }
      this.#text += text;
      this.#bytes += bytes;
      this.seen = line.seq;
      this.room--;
    }
  }

  end(): LogPage {
    return { text: this.#text, ...(this.#full && { next: this.seen }) };
  }
}

import { readdirSync } from 'node:fs';
import { isProcessId, readStatFields } from './proc-stat.ts';

const EVERY_MS = 500;
/** Bytes of a page on every Linux that runs the builders. */
const PAGE = 4_096;

/** Resident bytes of all processes of a session. Source: proc(5), `stat`: fields 6 (session) and 24 (rss). */
function sessionMemory(session: number): number {
  let pages = 0;
  for (const name of readdirSync('/proc')) {
    const fields = isProcessId(name) ? readStatFields(name) : undefined;
    if (fields && Number(fields[3]) === session) pages += Number(fields[21]);
  }
  return pages * PAGE;
}

/** Measures a session's memory twice a second until it is stopped, then returns the highest value. Linux only. */
export function watchMemory(session: number | undefined): { stop(): number | undefined } {
  if (process.platform !== 'linux' || session === undefined) return { stop: () => undefined };
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, sessionMemory(session));
  }, EVERY_MS);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      return peak || undefined;
    },
  };
}

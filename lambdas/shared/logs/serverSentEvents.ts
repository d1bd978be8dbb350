import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { type FollowDeps, followLog } from './followLog.ts';

/**
 * A deployment's log as server-sent events. `log` carries a line, its id being the line's `seq`; `status` the record;
 * `end` the terminal status, after which the stream closes. Writing waits for the reader, so a slow one costs one page
 * of memory and does not delay others. With `maxMs` the stream closes after that time without `end`: clients resume it
 * by `Last-Event-ID`, and a client that has left costs nothing any more.
 */
export function streamEvents(
  c: Context,
  deps: FollowDeps,
  deploymentId: string,
  after: number,
  { maxMs }: { readonly maxMs?: number } = {},
): Response {
  // Proxies (nginx among them) would hold the events back.
  c.header('X-Accel-Buffering', 'no');
  return streamSSE(c, async (out) => {
    const gone = new AbortController();
    out.onAbort(() => gone.abort());
    const limit = maxMs === undefined ? undefined : setTimeout(() => gone.abort(), maxMs);
    try {
      for await (const followed of followLog(deps, deploymentId, { after, signal: gone.signal })) {
        if (out.aborted) return;
        switch (followed.kind) {
          case 'lines':
            // One write per page: a write per line would cost a system call each.
            await out.write(
              followed.lines.map((l) => `id: ${l.seq}\nevent: log\ndata: ${JSON.stringify(l)}\n\n`).join(''),
            );
            break;
          case 'record':
            await out.writeSSE({ event: 'status', data: JSON.stringify(followed.record) });
            break;
          case 'heartbeat':
            await out.write(': still here\n\n');
            break;
          case 'end':
            await out.writeSSE({ event: 'end', data: JSON.stringify({ status: followed.status }) });
        }
      }
    } finally {
      clearTimeout(limit);
    }
  });
}

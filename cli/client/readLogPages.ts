import { type LogLine, LogLineSchema } from '../../contract/events.ts';
import { UnreachableError } from './errors.ts';
import { errorOfAnswer, sendRepeatable } from './http.ts';

/** `rel="next"` of a Link header (RFC 8288); null on the last page. */
const nextOf = (link: string | null): string | null => /<([^>]*)>\s*;\s*rel="?next"?/i.exec(link ?? '')?.[1] ?? null;

/**
 * A log page by page, with one page in memory at a time. Only the query of the platform's link is used, so that the
 * token goes to the same server as before. Throws `ProblemError` and `UnreachableError`.
 */
export async function* readLogPages(
  url: URL,
  headers: Readonly<Record<string, string>>,
): AsyncGenerator<LogLine, void, undefined> {
  let page = url;
  let seen = 0;
  for (;;) {
    const { response, text } = await sendRepeatable(page, { headers: { ...headers, Accept: 'application/x-ndjson' } });
    if (!response.ok) throw errorOfAnswer(url, response.status, text);
    const before = seen;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const parsed = readLine(url, line);
      seen = parsed.seq;
      yield parsed;
    }
    const next = nextOf(response.headers.get('Link'));
    if (next === null) return;
    if (seen === before) throw new UnreachableError(url, 'a page of the log is empty and names another');
    page = new URL(new URL(next, url).search, url);
  }
}

function readLine(url: URL, text: string): LogLine {
  try {
    return LogLineSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new UnreachableError(url, 'a line of the log has an unknown form', { cause });
  }
}

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DASHBOARD_PATH } from '../../dashboard/build.ts';
import type { Clock } from '../../lambdas/shared/ports.ts';

export const SESSION_PATH = `${DASHBOARD_PATH}/session`;
const MAX_BODY = 1_024;
const GOOD_MS = 600_000;

/** Opens one session of the dashboard: printed at the start, good once, for ten minutes, and gone with the process. */
export interface StartCode {
  /** To be appended to the dashboard's address; a fragment is sent to no server. */
  readonly fragment: string;
  /** `POST {code}` → `{token}`, or 403. */
  answer(request: IncomingMessage, response: ServerResponse): void;
}

/**
 * The token itself would stay in the browser's history and in the terminal's; a code that was used is worth nothing
 * there.
 */
export function createStartCode(token: string, clock: Clock): StartCode {
  const code = randomBytes(24).toString('base64url');
  let expected: Buffer | null = hash(code);
  const end = clock.now() + GOOD_MS;

  const redeem = (body: string): boolean => {
    const given = readCode(body);
    if (given === null || expected === null || clock.now() >= end || !timingSafeEqual(hash(given), expected))
      return false;
    expected = null;
    return true;
  };
  const send = (response: ServerResponse, status: number, body: object) =>
    response
      .writeHead(status, {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      })
      .end(JSON.stringify(body));

  return {
    fragment: `#code=${code}`,
    answer(request, response) {
      if (request.method !== 'POST' || !/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
        send(response, 405, { error: 'POST a code as JSON.' });
        return;
      }
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (text: string) => {
        body += text;
        if (body.length > MAX_BODY) request.destroy();
      });
      request.on('end', () =>
        redeem(body)
          ? send(response, 200, { token })
          : send(response, 403, { error: 'The code was used, is older than ten minutes, or is of another start.' }),
      );
    },
  };
}

const hash = (text: string) => createHash('sha256').update(text).digest();

function readCode(body: string): string | null {
  try {
    const { code } = JSON.parse(body);
    return typeof code === 'string' ? code : null;
  } catch {
    return null;
  }
}

import { VerenError } from '../../../../../contract/errors.ts';
import { SERVICE_SECRET_HEADER } from '../../../../../contract/serviceAdapter.ts';
import type { ServiceVersion } from '../../../services/servicePort.ts';

/** Between two tries, and the longest that one may take. */
const PAUSE_MS = 1_000;
const LONGEST_TRY_MS = 30_000;

export interface HealthAccess {
  readonly fetchUrl: typeof fetch;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Asks a version for its health path until it answers with less than 500.
 * @returns what it answered last where it did not in time; null where it is healthy
 */
export async function checkHealth(
  { fetchUrl, now, sleep }: HealthAccess,
  address: { readonly host: string; readonly secret: string },
  settings: Pick<ServiceVersion['settings'], 'healthPath' | 'healthSeconds'>,
): Promise<string | null> {
  const until = now() + settings.healthSeconds * 1_000;
  for (let last = 'it was not asked'; ; ) {
    const left = until - now();
    if (left <= 0) return last;
    try {
      const answer = await fetchUrl(`https://${address.host}${settings.healthPath}`, {
        headers: { [SERVICE_SECRET_HEADER]: address.secret },
        redirect: 'manual',
        signal: AbortSignal.timeout(Math.min(left, LONGEST_TRY_MS)),
      });
      await answer.body?.cancel();
      if (answer.status < 500) return null;
      last = `it answered ${answer.status}`;
    } catch (error) {
      last = (error as Error).name === 'TimeoutError' ? 'no answer came in time' : 'the connection broke';
    }
    await sleep(PAUSE_MS);
  }
}

/** Lambda's words for a process that has ended. */
const EXITED = /Runtime\.ExitError|Extension\.Crash|exit(?:ed)? (?:with )?(?:status|code) (\d+)|signal: killed/i;
const NOT_READY = /app is not ready after/;

/** What is wrong with a version that is not healthy, as its log tells it. */
export function healthFault(version: ServiceVersion, last: string, lines: readonly string[]): VerenError {
  const { healthPath: path, healthSeconds: seconds } = version.settings;
  const exited = lines.findLast((line) => EXITED.test(line));
  if (exited !== undefined) return new VerenError('SERVICE_EXITED', { reason: exited.slice(0, 200) });
  if (lines.some((line) => NOT_READY.test(line)))
    return new VerenError('SERVICE_NOT_LISTENING', { port: version.port, seconds, seen: '' });
  return new VerenError('SERVICE_UNHEALTHY', { path, seconds, reason: last });
}

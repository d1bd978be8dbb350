import http from 'node:http';
import https from 'node:https';
import { HANDOVER_URL } from '../../contract/builder-env.ts';
import { VerenError } from '../../contract/errors.ts';
import { type Handover, HandoverSchema } from '../../contract/handover.ts';
import { repeatWork } from '../../lambdas/shared/async.ts';
import { collectBody } from './fast-transport.ts';

type Variables = Readonly<Record<string, string>>;

export interface OpenedHandover {
  /** The builder's whole environment. */
  readonly raw: Record<string, string>;
  /**
   * Rejects with HANDOVER_TAKEN where somebody else has claimed the hand-over before. It must be awaited before code of
   * the repository runs; the fetch that runs meanwhile executes none.
   */
  readonly claimed: Promise<void>;
}

const TIMEOUT_MS = 10_000;
/** Between attempts (ms): a network that is just coming up is given half a minute. */
const RETRY_MS = [200, 500, 1_000, 2_000, 5_000, 10_000, 10_000];

/**
 * Reads the rest of the environment from HANDOVER_URL, claims the hand-over and removes it at once. Without that
 * variable the environment is complete already. Throws HANDOVER_UNREADABLE, HANDOVER_TAKEN.
 */
export async function openHandover(given: Variables, retryMs = RETRY_MS): Promise<OpenedHandover> {
  const { [HANDOVER_URL]: url, ...rest } = given;
  if (url === undefined) return { raw: rest, claimed: Promise.resolve() };
  const handover = await readHandover(url, retryMs);
  const claimed = claimHandover(handover, retryMs);
  claimed.catch(() => undefined); // the caller awaits it and gets the error
  return { raw: { ...rest, ...handover.variables }, claimed };
}

async function readHandover(url: string, retryMs: readonly number[]): Promise<Handover> {
  const { status, body } = await repeatRequest(retryMs, () => sendRequest('GET', url), isTransient);
  if (status === 200) {
    const parsed = HandoverSchema.safeParse(parseJson(body));
    if (parsed.success) return parsed.data;
    throw unreadableFault('it is not a hand-over');
  }
  if (body.includes('<Code>NoSuchKey</Code>')) throw new VerenError('HANDOVER_TAKEN');
  throw unreadableFault(/expired/i.test(body) ? 'it has expired' : `the bucket answered ${status}`);
}

async function claimHandover({ claim, remove }: Handover, retryMs: readonly number[]): Promise<void> {
  const putClaim = () => sendRequest('PUT', claim.url, claim.headers);
  // A request that may have been carried out is not repeated: the second answer would be the same as after a stranger's
  // claim.
  const { status } = await repeatRequest(retryMs, putClaim, (answer) => answer.status === 409 || answer.status === 503);
  if (status === 412) throw new VerenError('HANDOVER_TAKEN');
  if (status !== 200) throw unreadableFault(`it could not be claimed: the bucket answered ${status}`);
  // The bucket removes it too, within a day.
  await repeatRequest(retryMs.slice(0, 2), () => sendRequest('DELETE', remove.url), isTransient).catch(() => undefined);
}

interface Answer {
  /** 0 without an answer. */
  readonly status: number;
  readonly body: string;
}

const isTransient = ({ status }: Answer) => status === 0 || status >= 500;

async function repeatRequest(
  retryMs: readonly number[],
  call: () => Promise<Answer>,
  again: (answer: Answer) => boolean,
): Promise<Answer> {
  const answer = await repeatWork(retryMs, call, (outcome) => 'value' in outcome && again(outcome.value));
  if (answer.status === 0) throw unreadableFault(answer.body);
  return answer;
}

/** Uses Node's own client, which is loaded already, unlike `fetch`. */
function sendRequest(method: 'GET' | 'PUT' | 'DELETE', url: string, headers: Variables = {}): Promise<Answer> {
  const { request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve) => {
    const length = method === 'PUT' ? { 'content-length': '0' } : {};
    const sent = request(url, { method, headers: { ...headers, ...length }, timeout: TIMEOUT_MS }, async (response) => {
      const body = await collectBody(response);
      resolve(body ? { status: response.statusCode ?? 0, body: body.toString() } : { status: 0, body: 'it was cut' });
    });
    sent.on('timeout', () => sent.destroy(new Error('the bucket does not answer')));
    sent.on('error', (e) => resolve({ status: 0, body: (e as NodeJS.ErrnoException).code ?? e.message }));
    sent.end();
  });
}

const unreadableFault = (reason: string) => new VerenError('HANDOVER_UNREADABLE', { reason });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { VerenError } from '../../contract/errors.ts';
import type { AskedFile } from '../../contract/uploads.ts';
import { repeatWork } from '../../lambdas/shared/async.ts';
import { networkReason, UnreachableError } from './errors.ts';

const PAUSES = [250, 1_000, 4_000];
const ANSWER_MS = 300_000;

/**
 * PUT of a content to a signed address. Throws CLI_UPLOAD_REFUSED, and UnreachableError where the storage does not answer,
 * or where the platform is spoken to with TLS and the storage would be without.
 */
export async function putContent(
  platform: URL,
  { url: address, headers }: AskedFile,
  content: Uint8Array,
  name: string,
): Promise<void> {
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== platform.protocol)
    throw new UnreachableError(url, `files would be sent by ${url.protocol}//, which is not encrypted`);
  const put = async () => {
    const body = new Uint8Array(content);
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(url, { method: 'PUT', headers, body, signal, redirect: 'error' });
    return { status: answer.status, text: (await answer.text()).slice(0, 500) };
  };
  const mayPass = (status: number) => status >= 500 || status === 429;
  let answer: Awaited<ReturnType<typeof put>>;
  try {
    answer = await repeatWork(PAUSES, put, (outcome) => 'error' in outcome || mayPass(outcome.value.status));
  } catch (error) {
    throw new UnreachableError(url, networkReason(error), { cause: error });
  }
  if (answer.status >= 300) {
    const reason = /<Code>([A-Za-z]+)<\/Code>/.exec(answer.text)?.[1] ?? `HTTP ${answer.status}`;
    throw new VerenError('CLI_UPLOAD_REFUSED', { file: name, reason });
  }
}

import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { VerenError } from '../../../contract/errors.ts';
import { CALL_MS, HostBusyError, reasonOf } from '../../shared/gitHosts/askHost.ts';
import { readWait } from '../../shared/gitHosts/readOutcome.ts';
import { checkNoticeUrl, type NoticeAddress } from '../../shared/notifications/noticeAddress.ts';
import { checkTarget, sendPinned } from '../../shared/repo/pinnedRequest.ts';
import type { NotificationDeps } from './deps.ts';

/** Answers after which the same would be refused again. Source for 410: Standard Webhooks 1.0.0, "Retries". */
const FINAL = { webhook: [410], slack: [400, 401, 403, 404, 410] } as const;

/**
 * One call with a notice. Addresses are checked and pinned, no redirect is followed, and nothing of an answer is read but its
 * head. Throws HostBusyError where it is to be tried again, else NOTIFICATION_REFUSED or NOTIFICATION_FORBIDDEN; neither
 * holds the address's path, which may be a secret.
 */
export async function postNotice(
  { rules, clock }: Pick<NotificationDeps, 'rules' | 'clock'>,
  { kind, name }: { readonly kind: keyof typeof FINAL; readonly name: string },
  { url, secret }: NoticeAddress,
  message: { readonly id: string; readonly body: string },
): Promise<void> {
  const { host } = checkNoticeUrl(url, rules.policy);
  const signal = AbortSignal.timeout(rules.callMs ?? CALL_MS);
  const signed = secret === undefined ? {} : signNotice(secret, message, clock.now());
  let answer: IncomingMessage;
  try {
    answer = await sendPinned(await checkTarget(url, { ...rules, signal }), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'veren', ...signed },
      body: message.body,
      signal,
    });
  } catch (error) {
    if (error instanceof VerenError && error.code === 'GIT_HOST_FORBIDDEN')
      throw new VerenError('NOTIFICATION_FORBIDDEN', { host, reason: String(error.details.reason) });
    throw new HostBusyError(host, signal.aborted ? 'it did not answer in time' : reasonOf(error));
  }
  const { statusCode: status = 0, headers } = answer;
  answer.destroy();
  if (status >= 200 && status < 300) return;
  const isFinal = (status >= 300 && status < 400) || (FINAL[kind] as readonly number[]).includes(status);
  const reason = `it answered ${status}`;
  if (isFinal) throw new VerenError('NOTIFICATION_REFUSED', { name, host, reason });
  throw new HostBusyError(host, reason, readWait({ headers }, clock.now()));
}

/** Source: Standard Webhooks 1.0.0, "Signature scheme": HMAC-SHA256 over `id.timestamp.body`, in version `v1`. */
export function signNotice(
  secret: string,
  { id, body }: { readonly id: string; readonly body: string },
  now: number,
): Readonly<Record<`webhook-${'id' | 'timestamp' | 'signature'}`, string>> {
  const timestamp = String(Math.floor(now / 1_000));
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

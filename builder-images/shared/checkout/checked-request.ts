import type { IncomingMessage } from 'node:http';
import type { GitPolicy } from '../../../lambdas/shared/repo/gitPolicy.ts';
import type { Resolve } from '../../../lambdas/shared/repo/hostAddress.ts';
import { parseUrl } from '../../../lambdas/shared/repo/parseUrl.ts';
import { checkTarget, sendPinned } from '../../../lambdas/shared/repo/pinnedRequest.ts';

export interface CheckedRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly policy: GitPolicy;
  readonly resolve?: Resolve | undefined;
  readonly signal: AbortSignal;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * One request to a URL that a repository or its host names. Every address, also of redirects, is checked by the policy
 * and pinned for the connection; headers go to the first origin only. Throws VerenError for a forbidden address, else
 * an Error.
 */
export async function checkedRequest(o: CheckedRequest): Promise<IncomingMessage> {
  let { url, headers } = o;
  for (let hop = 0; ; hop++) {
    const checked = await checkTarget(url, o);
    const sent = { ...o, headers: { 'user-agent': 'git-lfs/veren', ...headers } };
    const answer = await sendPinned(checked, sent);
    const { location } = answer.headers;
    if (!REDIRECTS.has(answer.statusCode ?? 0) || location === undefined) return answer;
    answer.destroy();
    if (hop === o.policy.maxRedirects) throw new Error('it redirects too often');
    const next = parseUrl(location, checked.target.href);
    if (!next) throw new Error('it redirects to what is no URL');
    if (next.origin !== checked.target.origin) headers = {};
    url = next.href;
  }
}

import { callApi } from '../api/callApi.ts';
import { currentToken, keepToken } from './token.ts';

const CODE = /^#code=([\w-]{20,100})$/;

/**
 * The laptop's start prints an address with a code that is good for one session: a token in an address would stay in the
 * browser's history. A code is used up also where somebody is signed in, so that nobody else can use it later, and since
 * the kept token may be of another data folder. @returns whether a code was there and was refused
 */
export async function redeemStartCode(): Promise<'none' | 'taken' | 'refused'> {
  const code = CODE.exec(location.hash)?.[1];
  if (code === undefined) return 'none';
  history.replaceState(null, '', location.pathname + location.search);
  try {
    const { token } = await callApi<{ token: string }>('POST', '/dashboard/session', { body: { code } });
    keepToken(token, true);
    return 'taken';
  } catch {
    return currentToken() === null ? 'refused' : 'none';
  }
}

import { callApi } from '../api/callApi.ts';
import { currentToken, keepToken } from './token.ts';

const CODE = /^#code=([\w-]{20,100})$/;

/**
 * The laptop's start prints an address with a code that is good for one session: a token in an address would stay in the
 * browser's history. @returns whether a code was there and was refused
 */
export async function redeemStartCode(): Promise<'none' | 'taken' | 'refused'> {
  const code = CODE.exec(location.hash)?.[1];
  if (code === undefined) return 'none';
  history.replaceState(null, '', location.pathname + location.search);
  if (currentToken() !== null) return 'none';
  try {
    const { token } = await callApi<{ token: string }>('POST', '/dashboard/session', { body: { code } });
    keepToken(token, true);
    return 'taken';
  } catch {
    return 'refused';
  }
}

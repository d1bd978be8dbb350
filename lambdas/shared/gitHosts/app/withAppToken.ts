import { VerenError } from '../../../../contract/errors.ts';
import type { AppAccess } from '../../../../contract/githubApp.ts';
import { HostBusyError } from '../askHost.ts';
import type { MintAppToken } from './appTokens.ts';

/**
 * What is to be read, with a token that the owner's App has just been given for it: one that was stored with a request
 * would have ended while the request waited. Throws VerenError.
 */
export async function withAppToken<T extends { readonly gitUrl: string; readonly gitApp?: AppAccess | undefined }>(
  mintAppToken: MintAppToken | undefined,
  owner: string,
  request: T,
): Promise<T & { readonly gitToken?: string | undefined }> {
  if (!request.gitApp) return request;
  if (!mintAppToken) throw new VerenError('GIT_APP_MISSING');
  const { gitUrl } = request;
  try {
    const { token } = await mintAppToken({ ...request.gitApp, owner, gitUrl, purpose: 'read' });
    return { ...request, gitToken: token };
  } catch (error) {
    if (!(error instanceof HostBusyError)) throw error;
    throw new VerenError('GIT_FAILED', { url: gitUrl, reason: `${error.host}: ${error.message}` }, { cause: error });
  }
}

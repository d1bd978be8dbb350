import { VerenError } from '../../../contract/errors.ts';
import type { ProjectSettings } from '../../../contract/project.ts';
import { parseUrl } from '../repo/parseUrl.ts';
import { apiUrlOf, publicApiOf } from './hostApi.ts';

/** A token for a git host, with where it may go: a setting that is changed later takes it to no other host. */
export interface HostToken {
  readonly secret: string;
  /** As in `https://git.example:8443`. */
  readonly origins: readonly string[];
}

/** Unlike that of URL, also for schemes of git. */
const originOf = (text: string): string | undefined => {
  const url = parseUrl(text);
  return url && `${url.protocol}//${url.host}`;
};

/** Binds a token to the repository's host and its API, as the settings name them when it is stored. */
export function bindToken(
  secret: string,
  { gitUrl, connection }: Pick<ProjectSettings, 'gitUrl' | 'connection'>,
): HostToken {
  const urls = [gitUrl, gitUrl && publicApiOf(gitUrl), connection && apiUrlOf(connection, gitUrl)];
  const origins = urls.flatMap((url) => (url === undefined ? [] : (originOf(url) ?? [])));
  return { secret, origins: [...new Set(origins)] };
}

/** The token, where it was stored for the origin of this URL. Throws GIT_TOKEN_ELSEWHERE. */
export function openToken({ secret, origins }: HostToken, url: string): string {
  const origin = originOf(url);
  if (origin !== undefined && origins.includes(origin)) return secret;
  throw new VerenError('GIT_TOKEN_ELSEWHERE', { origins: origins.join(' and '), origin: origin ?? 'another host' });
}

import { VerenError } from '../../../contract/errors.ts';
import { GIT_HOSTS, type GitConnection } from '../../../contract/gitHosts.ts';
import type { GitPolicy, GitProtocol } from '../repo/gitPolicy.ts';
import type { Resolve } from '../repo/hostAddress.ts';
import { parseUrl } from '../repo/parseUrl.ts';
import { HOST_ADAPTERS } from './hostAdapters.ts';

/** Public hosts of software that others host themselves, too. */
const PUBLIC_HOSTS = new Set(['api.github.com', 'gitlab.com', 'api.bitbucket.org', 'codeberg.org', 'gitea.com']);

/** Where the API of a self-hosted one begins, below the origin of its repositories. */
const SELF_HOSTED_API = { github: '/api/v3', gitlab: '/api/v4', gitea: '/api/v1', bitbucket: undefined } as const;
const PUBLIC_GIT_HOSTS = { github: 'github.com', gitlab: 'gitlab.com', gitea: undefined, bitbucket: 'bitbucket.org' };

/** Which hosts a stage sends reports to. */
export interface HostRules {
  readonly policy: GitPolicy;
  /** Hosts (with their port, where it is not 443) of self-hosted APIs that the operator has allowed. */
  readonly apiHosts: readonly string[];
  /** @default - the system's */
  readonly resolve?: Resolve | undefined;
  /** Limit of one call (ms). @default - `CALL_MS` */
  readonly callMs?: number;
  /** Limit of all calls of one report (ms). @default - less than its lease */
  readonly reportMs?: number;
}

/** The API of a connection, which the stage allows. */
export interface HostApi extends Pick<HostRules, 'policy' | 'resolve' | 'callMs'> {
  /** Without a slash at its end. */
  readonly url: string;
  /** Ends a call early. */
  readonly signal?: AbortSignal;
}

/**
 * The API that a connection's reports go to: the one it names, the public host's, or that of the repository's own host.
 * Throws GIT_API_FORBIDDEN where the stage does not allow it: a token goes to no host that the operator has not named.
 */
export function findHostApi(connection: GitConnection, gitUrl: string | undefined, rules: HostRules): HostApi {
  const text = apiUrlOf(connection, gitUrl);
  const url = text === undefined ? undefined : parseUrl(text);
  if (!url) throw forbidden(text ?? connection.host, 'the connection names no "apiUrl"');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw forbidden(url.origin, 'it may have no user, query or fragment');
  const { policy, apiHosts, resolve, callMs } = rules;
  if (!/^https?:$/.test(url.protocol) || !policy.protocols.includes(url.protocol.slice(0, -1) as GitProtocol))
    throw forbidden(url.origin, 'its scheme is not allowed');
  const isAllowed = PUBLIC_HOSTS.has(url.host) || apiHosts.includes(url.host) || policy.allowPrivateAddresses;
  if (!isAllowed) throw forbidden(url.origin, 'the operator has not named this host');
  return {
    policy,
    resolve,
    ...(callMs !== undefined && { callMs }),
    url: (url.origin + url.pathname).replace(/\/+$/, ''),
  };
}

/** The API that a connection means; undefined where it has to name one. */
export function apiUrlOf({ host, apiUrl }: GitConnection, gitUrl: string | undefined): string | undefined {
  if (apiUrl !== undefined) return apiUrl;
  if (host === 'git') return undefined;
  const { publicApi } = HOST_ADAPTERS[host];
  const git = gitUrl === undefined ? undefined : parseUrl(gitUrl);
  const isWeb = git?.protocol === 'https:' || git?.protocol === 'http:';
  if (!isWeb || git.hostname === PUBLIC_GIT_HOSTS[host]) return publicApi;
  const path = SELF_HOSTED_API[host];
  return path === undefined ? publicApi : git.origin + path;
}

/** The API of a public host of repositories, which has a host of its own. */
export function publicApiOf(gitUrl: string): string | undefined {
  const hostname = parseUrl(gitUrl)?.hostname;
  const host = GIT_HOSTS.find((known) => hostname !== undefined && PUBLIC_GIT_HOSTS[known] === hostname);
  return host && HOST_ADAPTERS[host].publicApi;
}

const forbidden = (url: string, reason: string) => new VerenError('GIT_API_FORBIDDEN', { url, reason });

import { z } from 'zod';
import { VerenError } from '../../../../contract/errors.ts';
import type { Clock } from '../../ports.ts';
import { parseUrl } from '../../repo/parseUrl.ts';
import { askHost, HostBusyError } from '../askHost.ts';
import { githubAdapter } from '../github/reportCalls.ts';
import { type HostAnswer, type HostCall, twoSegments } from '../hostAdapter.ts';
import { findHostApi, type HostApi, type HostRules } from '../hostApi.ts';
import { readOutcome } from '../readOutcome.ts';
import { isNameAtHost, isUrlOfRepository } from '../repositoryUrl.ts';
import { signAppJwt } from './appJwt.ts';
import type { AppStore, OwnerApp } from './appStore.ts';

/** What a token is for; each has the rights that it needs, for one repository. */
const PERMISSIONS = {
  read: { contents: 'read' },
  report: { statuses: 'write', checks: 'write', deployments: 'write', pull_requests: 'write' },
} as const;
export type TokenPurpose = keyof typeof PERMISSIONS;

/** A token that ends within it is not given out any more: a build has to begin with it (ms). */
const MIN_LEFT_MS = 10 * 60_000;
/** GitHub's own limit. One that says more is not believed (ms). */
const MAX_LIFE_MS = 3_600_000;
const MAX_KEPT = 500;
/** Clocks that differ by less explain no refusal (ms). */
const MIN_SKEW_MS = 30_000;

export interface AppAccessRequest {
  readonly owner: string;
  readonly repository: string;
  /** What is read or reported to, which must be that repository on the App's host. */
  readonly gitUrl: string | undefined;
  readonly purpose: TokenPurpose;
}

export interface AppToken {
  readonly token: string;
  readonly api: HostApi;
  /** It was made for this call: a host that refuses it has not just ended it. */
  readonly isNew: boolean;
  /** It is not given out again. */
  readonly forget: () => void;
}

/**
 * Tokens of the owner's App for one repository, valid for an hour at most, kept in memory no longer than that. Throws
 * GIT_APP_MISSING, GIT_APP_REFUSED, GIT_API_FORBIDDEN, or HostBusyError where it is to be tried again.
 */
export type MintAppToken = (request: AppAccessRequest) => Promise<AppToken>;

const InstallationSchema = z.object({ id: z.int() });
const TokenSchema = z.object({ token: z.string(), expires_at: z.iso.datetime() });

export function appTokens({
  apps,
  rules,
  clock,
}: {
  readonly apps: Pick<AppStore, 'read'>;
  /** @param rules.apiHosts Absent where the API has checked the App's host when it was made, and nobody else has it. */
  readonly rules: Omit<HostRules, 'apiHosts'> & { readonly apiHosts?: readonly string[] | undefined };
  readonly clock: Clock;
}): MintAppToken {
  const kept = new Map<string, { readonly token: string; readonly until: number }>();
  return async (request) => {
    const app = await apps.read(request.owner);
    if (!app) throw new VerenError('GIT_APP_MISSING');
    requireOwnHost(app, request);
    const { repository, purpose } = request;
    const apiHosts = rules.apiHosts ?? [new URL(app.apiUrl).host];
    const connection = { host: 'github', repository, apiUrl: app.apiUrl } as const;
    const api = findHostApi(connection, undefined, { ...rules, apiHosts });
    const key = JSON.stringify([request.owner, app.appId, app.apiUrl, repository.toLowerCase(), purpose]);
    const forget = () => void kept.delete(key);
    const known = kept.get(key);
    const left = known ? known.until - clock.now() : 0;
    if (known && left > MIN_LEFT_MS && left <= MAX_LIFE_MS) return { token: known.token, api, isNew: false, forget };
    const { token, expires_at } = await mintToken(app, api, clock, request);
    const until = Math.min(Date.parse(expires_at), clock.now() + MAX_LIFE_MS);
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(key, { token, until });
    return { token, api, isNew: true, forget };
  };
}

/** A setting that is changed later takes no token to another host or repository. */
function requireOwnHost({ webUrl, apiUrl }: OwnerApp, { gitUrl, repository }: AppAccessRequest): void {
  const { host } = new URL(apiUrl);
  if (!isNameAtHost('github', repository))
    throw new VerenError('GIT_APP_REFUSED', { host, reason: 'no repository has such a name' });
  const url = gitUrl === undefined ? undefined : parseUrl(gitUrl);
  if (url?.origin !== new URL(webUrl).origin || !isUrlOfRepository(gitUrl ?? '', repository))
    throw new VerenError('GIT_APP_REFUSED', { host, reason: `"gitUrl" is not ${repository} at ${webUrl}` });
}

async function mintToken(app: OwnerApp, api: HostApi, clock: Clock, { repository, purpose }: AppAccessRequest) {
  const { privateKey } = await app.secrets();
  const ask = async (call: HostCall) => {
    const jwt = signAppJwt({ appId: app.appId, privateKey }, clock.now());
    const answer = await askHost(api, call, githubAdapter.authorize, jwt);
    const skewMs = answer.status === 401 ? skewOf(answer, clock.now()) : 0;
    if (skewMs === 0) return { answer, jwt };
    const later = signAppJwt({ appId: app.appId, privateKey }, clock.now() + skewMs);
    return { answer: await askHost(api, call, githubAdapter.authorize, later), jwt: later };
  };
  const { host } = new URL(api.url);
  const get = async <T>(call: HostCall, schema: z.ZodType<T>): Promise<T> => {
    const { answer, jwt } = await ask(call);
    const outcome = readOutcome(host, answer, jwt, clock.now());
    if (outcome.kind === 'busy') throw outcome.error;
    if (outcome.kind === 'refused') throw new VerenError('GIT_APP_REFUSED', { host, reason: outcome.reason });
    const { data } = schema.safeParse(answer.body);
    if (data === undefined) throw new HostBusyError(host, 'its answer has another form than is documented');
    return data;
  };
  const { id } = await get(
    { method: 'GET', path: `/repos/${twoSegments(repository)}/installation` },
    InstallationSchema,
  );
  const body = { repositories: [repository.split('/')[1]], permissions: PERMISSIONS[purpose] };
  return get({ method: 'POST', path: `/app/installations/${id}/access_tokens`, body }, TokenSchema);
}

/** How far this clock is behind the host's, where that may be why it refuses (ms). */
function skewOf({ headers }: HostAnswer, now: number): number {
  const skew = typeof headers.date === 'string' ? Date.parse(headers.date) - now : Number.NaN;
  return Math.abs(skew) >= MIN_SKEW_MS ? skew : 0;
}

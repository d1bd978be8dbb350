import { z } from 'zod';
import { VerenError } from '../../../contract/errors.ts';
import type { GithubApp } from '../../../contract/githubApp.ts';
import { callHost, HostBusyError } from '../../shared/gitHosts/askHost.ts';
import { findHostApi, type HostApi, type HostRules } from '../../shared/gitHosts/hostApi.ts';
import { readOutcome } from '../../shared/gitHosts/readOutcome.ts';
import type { Clock } from '../../shared/ports.ts';
import type { SecretBox, SecretPlace } from '../../shared/secretBox.ts';
import { GITHUB_COM } from './manifest.ts';

/** As long as GitHub keeps the code (ms). */
const STATE_MS = 3_600_000;
const StateSchema = z.object({ webUrl: z.string(), until: z.number() });
const placeOfState = (owner: string): SecretPlace => ({ owner, field: 'github app state' });

/** A state that only this platform can make, and for this owner only. */
export const sealState = (box: SecretBox, owner: string, webUrl: string, now: number): Promise<string> =>
  box.seal(JSON.stringify({ webUrl, until: now + STATE_MS }), placeOfState(owner));

/** The host that was begun with. Throws GIT_APP_STATE_INVALID. */
export async function openState(box: SecretBox, owner: string, state: string, now: number): Promise<string> {
  try {
    const { webUrl, until } = StateSchema.parse(JSON.parse(await box.open(state, placeOfState(owner))));
    if (until >= now && until <= now + STATE_MS) return webUrl;
  } catch (error) {
    if (!(error instanceof VerenError) || error.code !== 'SECRETS_UNREADABLE') throw error;
  }
  throw new VerenError('GIT_APP_STATE_INVALID');
}

/** The API of the host that is opened at `webUrl`. Throws GIT_API_FORBIDDEN. */
export function appApi(webUrl: string, rules: HostRules): HostApi {
  const connection = { host: 'github', repository: 'any/any' } as const;
  return findHostApi(
    webUrl === GITHUB_COM ? connection : { ...connection, apiUrl: `${webUrl}/api/v3` },
    undefined,
    rules,
  );
}

/** Source: GitHub's REST reference, "Create a GitHub App from a manifest". */
const ConversionSchema = z.object({
  id: z.int(),
  slug: z.string().regex(/^[\w-]{1,100}$/),
  name: z.string().max(200),
  pem: z.string().min(1),
  webhook_secret: z.string().min(1),
});

/**
 * Gets the key of the App that was made, once. Throws GIT_APP_REFUSED, GIT_HOST_UNREACHABLE where there is no such host,
 * or UNAVAILABLE where it does not answer.
 */
export async function convertCode(
  api: HostApi,
  webUrl: string,
  code: string,
  { clock, createdBy }: { readonly clock: Clock; readonly createdBy: string },
) {
  const { host } = new URL(api.url);
  const call = { method: 'POST', path: `/app-manifests/${code}/conversions` } as const;
  const headers = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };
  const unavailable = ({ message: reason, isAbsent }: HostBusyError) =>
    isAbsent
      ? new VerenError('GIT_HOST_UNREACHABLE', { host, reason })
      : new VerenError('UNAVAILABLE', { reason: `${host}: ${reason}` });
  const answer = await callHost(api, call, headers).catch((error) => {
    throw error instanceof HostBusyError ? unavailable(error) : error;
  });
  const outcome = readOutcome(host, answer, code, clock.now());
  if (outcome.kind === 'busy') throw unavailable(outcome.error);
  if (outcome.kind === 'refused') throw new VerenError('GIT_APP_REFUSED', { host, reason: outcome.reason });
  const { data } = ConversionSchema.safeParse(answer.body);
  if (!data)
    throw new VerenError('GIT_APP_REFUSED', { host, reason: 'its answer has another form than is documented' });
  const { id: appId, slug, name, pem: privateKey, webhook_secret: webhook } = data;
  const path = webUrl === GITHUB_COM ? 'apps' : 'github-apps';
  const app: GithubApp & { apiUrl: string } = {
    ...{ appId, slug, name, webUrl, apiUrl: api.url, createdBy },
    installUrl: `${webUrl}/${path}/${slug}/installations/new`,
    createdAt: new Date(clock.now()).toISOString(),
  };
  return { app, secrets: { privateKey, webhook } };
}

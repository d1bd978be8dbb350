import { randomBytes } from 'node:crypto';
import type { StartApp } from '../../../contract/githubApp.ts';

export const GITHUB_COM = 'https://github.com';

/**
 * What an App is made with: the least that deploying by push needs, and private, so that nobody else installs it.
 * Source: GitHub, "Registering a GitHub App from a manifest".
 */
export function appManifest(of: {
  readonly origin: string;
  readonly hookUrl: string;
  readonly redirectUrl: string;
  readonly name: string | undefined;
}): string {
  return JSON.stringify({
    name: of.name ?? `veren-${randomBytes(5).toString('hex')}`,
    url: of.origin,
    hook_attributes: { url: of.hookUrl, active: true },
    redirect_url: of.redirectUrl,
    public: false,
    default_permissions: {
      ...{ metadata: 'read', contents: 'read', pull_requests: 'write' },
      ...{ statuses: 'write', checks: 'write', deployments: 'write' },
    },
    default_events: ['push', 'pull_request', 'repository'],
  });
}

/** Where the manifest is sent to. */
export function manifestAction(webUrl: string, { organization }: StartApp, state: string): string {
  const of = organization === undefined ? '/settings/apps/new' : `/organizations/${organization}/settings/apps/new`;
  return `${webUrl}${of}?state=${encodeURIComponent(state)}`;
}

const escapeHtml = (text: string) => text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
const htmlPage = (body: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Veren: GitHub App</title><body>${body}</body></html>`;

/** A page that sends the manifest by one click, for whoever has no other. */
export const manifestPage = (action: string, manifest: string): string =>
  htmlPage(
    `<form method="post" action="${escapeHtml(action)}"><input type="hidden" name="manifest" value="${escapeHtml(manifest)}"><button>Make the App at GitHub</button></form>`,
  );

/** Where GitHub leads back to: what is to be given to the second call. It does nothing by itself. */
export const createdPage = (code: string, state: string): string =>
  htmlPage(
    `<p>GitHub has made the App. Within the hour, send this to <code>POST /github-app/finish</code>:</p><pre>${escapeHtml(JSON.stringify({ code, state }))}</pre>`,
  );

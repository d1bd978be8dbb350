import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { s3Keys } from '../../contract/names.ts';
import { isBelowPrefix } from '../../contract/services.ts';
import { headersFor, parseHeaders } from '../../contract/site-rules/headerRules.ts';
import { parseRedirects } from '../../contract/site-rules/redirectRules.ts';
import { MAX_RULED_FILE_BYTES, RULE_FILES } from '../../contract/site-rules/ruleFile.ts';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import type { Clock, Sites } from '../../lambdas/shared/ports.ts';
import type { ProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import { admitVisitor } from '../../lambdas/shared/sites/protection.ts';
import { resolveRequest } from '../../lambdas/shared/sites/resolveRequest.ts';
import { endUpgrade } from '../services/upgrade.ts';
import { type FoundSite, findSite } from './findSite.ts';
import { ManifestCache, type ManifestFiles, type Rules } from './manifestFiles.ts';
import { sendPage } from './pages.ts';
import { sendFile } from './respond.ts';
import { answerFromService, type Backend, type ServiceProxy, upgradeToService } from './serviceProxy.ts';
import { SiteFiles } from './siteFiles.ts';

interface ReadRules extends Rules {
  readonly readAt: number;
}

/** How long `_redirects` and `_headers` are remembered: a page's requests come together. */
const RULES_MS = 500;
const MAX_CACHED = 1_000;
const MAINTENANCE_RETRY_S = '300';
const ATTEMPTS = 3;

export interface SiteHandlerOptions {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly clock: Clock;
  readonly sites: Sites;
  readonly projects: Pick<ProjectStore, 'get'>;
  readonly services?: ServiceProxy | undefined;
  readonly onError: (error: unknown) => void;
}

/** What one request is answered from. */
interface Version {
  readonly files: SiteFiles;
  readonly rules: Rules;
  /** Not everybody may see it. */
  readonly locked: boolean;
}

/** Answers for one project, or for what the host name of a request shows. */
export class SiteHandler {
  readonly #o: SiteHandlerOptions;
  readonly #rules = new Map<string, Promise<ReadRules>>();
  readonly #manifests: ManifestCache;

  constructor(options: SiteHandlerOptions) {
    this.#o = options;
    this.#manifests = new ManifestCache(options.s3, options.bucket);
  }

  async handle(portsProject: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-content-type-options', 'nosniff');
    // Such as a write after the visitor has gone.
    response.on('error', () => response.destroy());
    try {
      await this.#answer(portsProject, request, response);
    } catch (error) {
      this.#o.onError(error);
      if (response.headersSent) response.destroy();
      else sendPage(response, 502, 'The storage of this site cannot be read at the moment.');
    }
  }

  async #answer(portsProject: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const site = await findSite(request.headers.host, portsProject, this.#o);
    const backend = site && this.#backendOf(site, request);
    if (!backend && request.method !== 'GET' && request.method !== 'HEAD')
      return sendPage(response, 405, 'A site can only be read.', { allow: 'GET, HEAD' });
    if (!site) return sendPage(response, 421, 'This server does not answer for that host name.');
    const target = parseTarget(request.url ?? '');
    if (!target) return sendPage(response, 400, 'The address is not valid.');
    if (site.kind === 'outputs') {
      const version = await this.#outputsOf(site.projectId);
      return this.#send(version, target, site.sharedHost, request, response, 'There is nothing here yet.');
    }
    const { route } = site;
    if (route.noindex) response.setHeader('x-robots-tag', 'noindex');
    if (!admit(route, request, response)) return;
    if (route.maintenance)
      return sendPage(response, 503, 'This site is under maintenance.', { 'retry-after': MAINTENANCE_RETRY_S });
    if (backend) return answerFromService(backend, request, response);
    const files = await this.#manifests.get(route.projectId, route.deploymentId);
    if (!files) return sendPage(response, 404, 'There is no such deployment, or its files are not kept any more.');
    const version = (await this.#assetOfBefore(route, files, target.path)) ?? files;
    const rules = await version.rules();
    const shown = { files: version, rules, locked: route.protection !== undefined };
    await this.#send(shown, target, site.sharedHost, request, response, 'There is nothing here.');
    // Files that were removed under a manifest that is remembered: the next request reads it again.
    if (response.statusCode === 503) this.#manifests.forget(route.projectId, route.deploymentId);
  }

  /** A WebSocket, or another upgrade: a site has none. */
  async upgrade(portsProject: string, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const site = await findSite(request.headers.host, portsProject, this.#o);
      const backend = site && this.#backendOf(site, request);
      if (!backend || site.kind !== 'version' || site.route.maintenance || !parseTarget(request.url ?? ''))
        return endUpgrade(socket, '404 Not Found');
      const { cookie, authorization } = request.headers;
      const visitor = { url: request.url ?? '/', cookie, authorization };
      if (admitVisitor(site.route.protection, visitor).kind !== 'admitted')
        return endUpgrade(socket, '401 Unauthorized');
      await upgradeToService(backend, request, socket, head);
    } catch (error) {
      this.#o.onError(error);
      endUpgrade(socket, '503 Service Unavailable');
    }
  }

  #backendOf(site: FoundSite, { url = '/' }: IncomingMessage): Backend | null {
    const { services } = this.#o;
    if (site.kind !== 'version' || !site.route.service || !services) return null;
    const { projectId, service, protection } = site.route;
    const path = url.split('?', 1)[0] ?? '';
    return isBelowPrefix(service.prefix, path) ? { services, projectId, version: service.version, protection } : null;
  }

  async #send(
    { files, rules, locked }: Version,
    target: { path: string; search: string },
    sharedHost: boolean,
    request: IncomingMessage,
    response: ServerResponse,
    absent: string,
  ): Promise<void> {
    const wantsPage = /\btext\/html\b/i.test(request.headers.accept ?? '');
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await resolveRequest((path) => files.find(path), rules.redirects, { ...target, wantsPage });
      const extra = headersFor(rules.headers, target.path, sharedHost);
      if (found.kind === 'absent') return sendPage(response, 404, absent);
      if (found.kind === 'redirect') {
        for (const [name, value] of extra) response.setHeader(name, value);
        response.writeHead(found.status, { location: found.location, 'content-length': '0' }).end();
        return;
      }
      const ruled = found.file.size > MAX_RULED_FILE_BYTES ? new Map() : extra;
      if (await sendFile(files, found, ruled, request, response, locked)) return;
    }
    sendPage(response, 503, 'This site is just being replaced. Try again.', { 'retry-after': '1' });
  }

  /** The release before, where it has an asset that the present one does not: a page of it is still open. */
  async #assetOfBefore(route: SiteRoute, current: ManifestFiles, path: string): Promise<ManifestFiles | null> {
    if (!route.before || (await current.find(path))) return null;
    const now = this.#o.clock.now() / 1_000;
    for (const { deploymentId, until } of route.before) {
      const files = until > now ? await this.#manifests.get(route.projectId, deploymentId) : null;
      if (files?.findImmutable(path)) return files;
    }
    return null;
  }

  async #outputsOf(projectId: string): Promise<Version> {
    const prefix = s3Keys.site(projectId);
    const files = new SiteFiles(this.#o.s3, this.#o.bucket, prefix);
    return { files, rules: await this.#rulesOf(prefix, files), locked: false };
  }

  #rulesOf(prefix: string, files: SiteFiles): Promise<Rules> {
    const now = this.#o.clock.now();
    const loadRules = async (): Promise<ReadRules> => ({
      readAt: now,
      redirects: parseRedirects(await files.text(`/${RULE_FILES.redirects}`)).rules,
      headers: parseHeaders(await files.text(`/${RULE_FILES.headers}`)).rules,
    });
    const known = this.#rules.get(prefix) ?? Promise.resolve({ readAt: Number.NEGATIVE_INFINITY } as ReadRules);
    const fresh = known.then(
      (rules) => (now - rules.readAt < RULES_MS ? rules : loadRules()),
      () => loadRules(), // the last reading failed, so it is tried again
    );
    if (this.#rules.size >= MAX_CACHED) this.#rules.clear();
    this.#rules.set(prefix, fresh);
    return fresh;
  }
}

/** False where the visitor may not see this preview, and was told so. */
function admit({ protection }: SiteRoute, request: IncomingMessage, response: ServerResponse): boolean {
  const { cookie, authorization } = request.headers;
  const admission = admitVisitor(protection, { url: request.url ?? '/', cookie, authorization });
  if (admission.kind === 'admitted') return true;
  const headers = { 'cache-control': 'no-store' };
  if (admission.kind === 'redirect') {
    const { location, cookie: set } = admission;
    response.writeHead(302, { ...headers, location, 'set-cookie': set, 'content-length': '0' }).end();
  } else
    sendPage(response, 401, 'This preview is protected. Open it by the link that you were given.', {
      ...headers,
      ...(admission.challenge !== undefined && { 'www-authenticate': admission.challenge }),
    });
  return false;
}

/** Path (decoded) and query of a request; undefined where no file can have such a path. */
function parseTarget(url: string): { path: string; search: string } | undefined {
  const mark = url.indexOf('?');
  const raw = mark < 0 ? url : url.slice(0, mark);
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch {
    return undefined;
  }
  const harmless =
    !path.split(/[/\\]/).some((segment) => segment === '.' || segment === '..') && !/[\u0000-\u001f]/.test(path);
  return path.startsWith('/') && harmless ? { path, search: mark < 0 ? '' : url.slice(mark) } : undefined;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { S3Client } from '@aws-sdk/client-s3';
import { ProjectIdSchema } from '../../contract/api.ts';
import { s3Keys } from '../../contract/names.ts';
import { type HeaderRule, headersFor, parseHeaders } from '../../contract/site-rules/headerRules.ts';
import { parseRedirects, type RedirectRule } from '../../contract/site-rules/redirectRules.ts';
import { RULE_FILES } from '../../contract/site-rules/ruleFile.ts';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { sendPage } from './pages.ts';
import { resolveRequest } from './resolve.ts';
import { sendFile } from './respond.ts';
import { SiteFiles } from './siteFiles.ts';

interface Rules {
  readonly readAt: number;
  readonly redirects: RedirectRule[];
  readonly headers: HeaderRule[];
}

/** How long `_redirects` and `_headers` are remembered: a page's requests come together. */
const RULES_MS = 500;
const MAX_CACHED = 1_000;
const ATTEMPTS = 3;

/** Answers for one project, or for the project or deployment in a host name below `localhost`. */
export class SiteHandler {
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #rules = new Map<string, Promise<Rules>>();
  readonly #whole = new Set<string>();

  constructor(options: { s3: S3Client; bucket: string; clock: Clock; onError: (error: unknown) => void }) {
    this.#s3 = options.s3;
    this.#bucket = options.bucket;
    this.#clock = options.clock;
    this.#onError = options.onError;
  }

  async handle(portsProject: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-content-type-options', 'nosniff');
    try {
      await this.#answer(portsProject, request, response);
    } catch (error) {
      this.#onError(error);
      if (response.headersSent) response.destroy();
      else sendPage(response, 502, 'The storage of this site cannot be read at the moment.');
    }
  }

  async #answer(portsProject: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return sendPage(response, 405, 'A site can only be read.', { allow: 'GET, HEAD' });
    const site = siteOf(request.headers.host, portsProject);
    if (site === undefined) return sendPage(response, 421, 'This server does not answer for that host name.');
    const target = parseTarget(request.url ?? '');
    if (!target) return sendPage(response, 400, 'The address is not valid.');

    const files = new SiteFiles(this.#s3, this.#bucket, site.prefix);
    if (site.manifest !== undefined && !(await this.#isWhole(site.manifest)))
      return sendPage(response, 404, 'There is no such deployment, or its files are not kept any more.');
    const rules = await this.#rulesOf(site.prefix, files);
    const wantsPage = /\btext\/html\b/i.test(request.headers.accept ?? '');
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await resolveRequest((path) => files.find(path), rules.redirects, { ...target, wantsPage });
      const extra = headersFor(rules.headers, target.path, site.sharedHost);
      if (found.kind === 'absent') return sendPage(response, 404, 'There is nothing here.');
      if (found.kind === 'redirect') {
        for (const [name, value] of extra) response.setHeader(name, value);
        response.writeHead(found.status, { location: found.location, 'content-length': '0' }).end();
        return;
      }
      if (await sendFile(files, found, extra, request, response)) return;
    }
    sendPage(response, 503, 'This site is just being replaced. Try again.', { 'retry-after': '1' });
  }

  /** A deployment's files are served when the last of them is there; then they stay. */
  async #isWhole(manifest: string): Promise<boolean> {
    if (this.#whole.has(manifest)) return true;
    const found = (await new SiteFiles(this.#s3, this.#bucket, '').find(`/${manifest}`)) !== undefined;
    if (this.#whole.size >= MAX_CACHED) this.#whole.clear();
    if (found) this.#whole.add(manifest);
    return found;
  }

  #rulesOf(prefix: string, files: SiteFiles): Promise<Rules> {
    const now = this.#clock.now();
    const loadRules = async (): Promise<Rules> => ({
      readAt: now,
      redirects: parseRedirects(await files.text(`/${RULE_FILES.redirects}`)).rules,
      headers: parseHeaders(await files.text(`/${RULE_FILES.headers}`)).rules,
    });
    const known = this.#rules.get(prefix) ?? Promise.resolve({ readAt: Number.NEGATIVE_INFINITY } as Rules);
    const fresh = known.then(
      (rules) => (now - rules.readAt < RULES_MS ? rules : loadRules()),
      () => loadRules(), // the last reading failed, so it is tried again
    );
    if (this.#rules.size >= MAX_CACHED) this.#rules.clear();
    this.#rules.set(prefix, fresh);
    return fresh;
  }
}

interface Site {
  /** Where its files are. */
  readonly prefix: string;
  /** Of a single deployment: the object that says that its files are whole. */
  readonly manifest?: string;
  /** The host name is one that other servers on this machine have too. */
  readonly sharedHost: boolean;
}

/**
 * The site of a host name: a project's production site, or with `<deployment>--<project>.localhost` the files of one
 * deployment. Other host names are refused, so that a foreign page whose name resolves to this machine (DNS rebinding)
 * cannot read sites that are published only here. A project's name has no `--`, so the two forms cannot be confused.
 */
function siteOf(host: string | undefined, portsProject: string): Site | undefined {
  const name = (host ?? '127.0.0.1').replace(/:\d+$/, '').toLowerCase();
  if (name === '127.0.0.1' || name === 'localhost') return { prefix: s3Keys.site(portsProject), sharedHost: true };
  const [, deploymentId, label] = /^(?:([a-z0-9]{1,40})--)?([^.]+)\.localhost$/.exec(name) ?? [];
  const project = ProjectIdSchema.safeParse(label).data;
  if (project === undefined) return undefined;
  if (deploymentId === undefined) return { prefix: s3Keys.site(project), sharedHost: false };
  return {
    prefix: s3Keys.deploymentFiles(project, deploymentId),
    manifest: s3Keys.deploymentManifest(project, deploymentId),
    sharedHost: false,
  };
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

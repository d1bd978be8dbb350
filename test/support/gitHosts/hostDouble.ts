import type { GitHost } from '../../../contract/gitHosts.ts';
import { httpDouble, type Request, type Response } from '../httpDouble.ts';

/** A status as the double keeps it: in the order in which they came, as hosts do. */
export interface KeptStatus {
  readonly commit: string;
  readonly state: string;
  readonly context: string;
  readonly description: string;
  readonly url: string | undefined;
}
export interface KeptComment {
  readonly id: number;
  readonly number: number;
  text: string;
  readonly author: string;
}

/** What a request asks for, whichever host's form it has. */
interface Asked {
  readonly kind: 'status' | 'list' | 'create' | 'update';
  readonly repository: string;
  readonly commit?: string;
  readonly number?: number;
  readonly id?: number;
  readonly page?: number;
}

/** What differs between hosts, after their public references. */
interface Rules {
  readonly base: string;
  readonly tokenOf: (headers: Request['headers']) => string | undefined;
  readonly parse: (method: string, path: string, query: URLSearchParams) => Asked | undefined;
  /** A status, or why it is refused. */
  readonly status: (asked: Asked, body: Body, before: KeptStatus | undefined) => KeptStatus | Response;
  readonly comment: (body: Body) => unknown;
  readonly show: (comment: KeptComment) => object;
  readonly showList: (comments: object[]) => unknown;
  /** Caps a page, whatever is asked for. */
  readonly page: number;
}
// biome-ignore lint/suspicious/noExplicitAny: whatever JSON a client has sent
type Body = any;

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
const bearer = (headers: Request['headers']) => /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
const page = (query: URLSearchParams) => Number(query.get('page') ?? 1);

const githubLike = (method: string, path: string, query: URLSearchParams): Asked | undefined => {
  const [, repository = '', rest = ''] = /^\/repos\/([^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
  const [, commit] = /^statuses\/([0-9a-f]+)$/.exec(rest) ?? [];
  if (commit && method === 'POST') return { kind: 'status', repository, commit };
  const [, number] = /^issues\/(\d+)\/comments$/.exec(rest) ?? [];
  if (number && method === 'POST') return { kind: 'create', repository, number: Number(number) };
  if (number && method === 'GET') return { kind: 'list', repository, number: Number(number), page: page(query) };
  const [, id] = /^issues\/comments\/(\d+)$/.exec(rest) ?? [];
  return id && method === 'PATCH' ? { kind: 'update', repository, id: Number(id) } : undefined;
};

const GITHUB_STATES = ['pending', 'success', 'failure', 'error'];
const githubStatus: Rules['status'] = ({ commit = '' }, body) => {
  if (!GITHUB_STATES.includes(body.state)) return json(422, { message: 'Validation Failed', errors: ['state'] });
  if (typeof body.description === 'string' && body.description.length > 140)
    return json(422, { message: 'Validation Failed: description is too long (maximum is 140 characters)' });
  const { state, context, description, target_url: url } = body;
  return { commit, state, context, description, url };
};

const RULES: Readonly<Record<GitHost, Rules>> = {
  github: {
    base: '',
    tokenOf: bearer,
    parse: githubLike,
    status: githubStatus,
    comment: (body) => body.body,
    show: ({ id, text, author }) => ({ id, body: text, user: { login: author } }),
    showList: (list) => list,
    page: 100,
  },
  gitea: {
    base: '/api/v1',
    tokenOf: (headers) => /^token (.+)$/.exec(headers.authorization ?? '')?.[1],
    parse: githubLike,
    status: githubStatus,
    comment: (body) => body.body,
    show: ({ id, text, author }) => ({ id, body: text, user: { login: author } }),
    showList: (list) => list,
    page: 50,
  },
  gitlab: {
    base: '/api/v4',
    tokenOf: (headers) => headers['private-token'] as string | undefined,
    parse(method, path, query) {
      const [, encoded = '', rest = ''] = /^\/projects\/([^/]+)\/(.+)$/.exec(path) ?? [];
      const repository = decodeURIComponent(encoded);
      const [, commit] = /^statuses\/([0-9a-f]+)$/.exec(rest) ?? [];
      if (commit && method === 'POST') return { kind: 'status', repository, commit };
      const [, number, id] = /^merge_requests\/(\d+)\/notes(?:\/(\d+))?$/.exec(rest) ?? [];
      if (!number) return undefined;
      if (id) return method === 'PUT' ? { kind: 'update', repository, id: Number(id) } : undefined;
      if (method === 'POST') return { kind: 'create', repository, number: Number(number) };
      return { kind: 'list', repository, number: Number(number), page: page(query) };
    },
    status({ commit = '' }, body, before) {
      const STATES = ['pending', 'running', 'success', 'failed', 'canceled', 'skipped'];
      if (!STATES.includes(body.state)) return json(400, { error: 'state does not have a valid value' });
      // A status that is pending is a job that waits: it cannot be enqueued again.
      if (before?.state === 'pending' && body.state === 'pending')
        return json(400, { message: 'Cannot transition status via :enqueue from :pending (Reason(s): …)' });
      return { commit, state: body.state, context: body.name, description: body.description, url: body.target_url };
    },
    comment: (body) => body.body,
    show: ({ id, text, author }) => ({ id, body: text, author: { username: author }, system: false }),
    showList: (list) => list,
    page: 100,
  },
  bitbucket: {
    base: '/2.0',
    tokenOf: bearer,
    parse(method, path, query) {
      const [, repository = '', rest = ''] = /^\/repositories\/([^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
      const [, commit] = /^commit\/([0-9a-f]+)\/statuses\/build$/.exec(rest) ?? [];
      if (commit && method === 'POST') return { kind: 'status', repository, commit };
      const [, number, id] = /^pullrequests\/(\d+)\/comments(?:\/(\d+))?$/.exec(rest) ?? [];
      if (!number) return undefined;
      if (id) return method === 'PUT' ? { kind: 'update', repository, id: Number(id) } : undefined;
      if (method === 'POST') return { kind: 'create', repository, number: Number(number) };
      return { kind: 'list', repository, number: Number(number), page: page(query) };
    },
    status({ commit = '' }, body) {
      const invalid = (field: string) => json(400, { type: 'error', error: { message: `${field}: invalid` } });
      if (!['INPROGRESS', 'SUCCESSFUL', 'FAILED', 'STOPPED'].includes(body.state)) return invalid('state');
      if (typeof body.url !== 'string') return invalid('url');
      if (typeof body.key !== 'string' || body.key.length > 40) return invalid('key');
      return { commit, state: body.state, context: body.key, description: body.description, url: body.url };
    },
    comment: (body) => body.content?.raw,
    show: ({ id, text, author }) => ({ id, content: { raw: text }, user: { nickname: author }, deleted: false }),
    showList: (values) => ({ values }),
    page: 100,
  },
};

export interface HostDouble {
  readonly host: GitHost;
  /** Where its API begins. */
  readonly apiUrl: string;
  readonly statuses: KeptStatus[];
  readonly comments: KeptComment[];
  readonly requests: Request[];
  /** What a commit shows: the newest status of each context. */
  shown(commit: string): KeptStatus[];
  /** Answers in the double's place; undefined leaves it to the double. */
  fault: (request: Request) => Response | undefined | Promise<Response | undefined>;
  /** A comment of somebody else. */
  addComment(number: number, text: string, author?: string): void;
  close(): Promise<void>;
}

export const RIGHT_TOKEN = 'tok-right';
/** Known to the host, and may read only. */
export const WEAK_TOKEN = 'tok-read-only';

/**
 * A git host's API as far as reports use it. It refuses what the host refuses: unknown tokens, tokens without the scope,
 * other repositories, commits that it does not have, and bodies that are not as documented.
 */
export async function hostDouble(
  host: GitHost,
  options: { readonly repository: string; readonly hasCommit?: (commit: string) => boolean },
): Promise<HostDouble> {
  const rules = RULES[host];
  const statuses: KeptStatus[] = [];
  const comments: KeptComment[] = [];
  let nextId = 1_000;
  const shown = (commit: string) => {
    const newest = new Map(statuses.filter((one) => one.commit === commit).map((one) => [one.context, one]));
    return [...newest.values()];
  };
  const server = await httpDouble(async (request) => (await double.fault(request)) ?? answer(request));

  function answer({ method, url, headers, body: text }: Request): Response {
    const { pathname, searchParams } = new URL(url, 'http://host.invalid');
    const asked = pathname.startsWith(rules.base)
      ? rules.parse(method, pathname.slice(rules.base.length), searchParams)
      : undefined;
    if (!asked) return json(404, { message: 'Not Found' });
    const token = rules.tokenOf(headers);
    if (token !== RIGHT_TOKEN && token !== WEAK_TOKEN) return json(401, { message: 'Bad credentials' });
    if (asked.repository !== options.repository) return json(404, { message: 'Not Found' });
    if (token === WEAK_TOKEN && asked.kind !== 'list')
      return json(403, { message: 'Resource not accessible by personal access token' });
    let body: Body;
    try {
      body = method === 'GET' ? {} : JSON.parse(text);
    } catch {
      return json(400, { message: 'Problems parsing JSON' });
    }
    return asked.kind === 'status' ? takeStatus(asked, body) : takeComment(asked, body);
  }

  function takeStatus(asked: Asked, body: Body): Response {
    const { commit = '' } = asked;
    if (options.hasCommit?.(commit) === false)
      return host === 'gitlab'
        ? json(404, { message: '404 Commit Not Found' })
        : json(422, { message: `No commit found for SHA: ${commit}` });
    const before = shown(commit).find(({ context }) => context === (body.name ?? body.context));
    const taken = rules.status(asked, body, before);
    if ('status' in taken) return taken;
    statuses.push(taken);
    return json(201, { id: statuses.length });
  }

  function takeComment({ kind, number = 0, id, page = 1 }: Asked, body: Body): Response {
    if (kind === 'list') {
      const all = comments.filter((comment) => comment.number === number).slice((page - 1) * rules.page);
      return json(200, rules.showList(all.slice(0, rules.page).map(rules.show)));
    }
    const text = rules.comment(body);
    if (typeof text !== 'string' || text === '') return json(422, { message: 'Validation Failed' });
    if (kind === 'create') {
      const made = { id: nextId++, number, text, author: 'veren' };
      comments.push(made);
      return json(201, rules.show(made));
    }
    const found = comments.find((comment) => comment.id === id);
    if (!found) return json(404, { message: 'Not Found' });
    if (found.author !== 'veren') return json(403, { message: 'Must have admin rights to Repository.' });
    found.text = text;
    return json(200, rules.show(found));
  }

  const double: HostDouble = {
    host,
    apiUrl: server.url + (host === 'bitbucket' ? '' : rules.base),
    ...{ statuses, comments, requests: server.requests, shown },
    fault: () => undefined,
    addComment(number, text, author = 'somebody') {
      comments.push({ id: nextId++, number, text, author });
    },
    close: () => server.close(),
  };
  return double;
}

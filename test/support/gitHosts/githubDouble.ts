import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { httpDouble, type Request, type Response } from '../httpDouble.ts';

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
// biome-ignore lint/suspicious/noExplicitAny: whatever JSON a client has sent
type Body = any;
type Permissions = Readonly<Record<string, 'read' | 'write'>>;

interface MintedToken {
  readonly repositories: readonly string[];
  readonly permissions: Permissions;
  readonly until: number;
}
export interface CheckRun {
  readonly id: number;
  readonly head_sha: string;
  name: string;
  status: string;
  conclusion?: string;
  external_id: string;
  output: { title: string };
}
export interface ShownDeployment {
  readonly id: number;
  readonly ref: string;
  readonly environment: string;
  readonly states: string[];
  readonly production_environment: boolean;
  readonly transient_environment: boolean;
}

export const isActive = ({ states }: ShownDeployment): boolean => states.at(-1) === 'success';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const PEM = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
/** Of another App. */
export const OTHER_PEM = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  .privateKey.export({ type: 'pkcs1', format: 'pem' })
  .toString();
export const APP_ID = 4_242;
export const HOOK_SECRET = 'hook-secret-of-the-app';
export const INSTALLATION = 77;

/**
 * GitHub as an App uses it (a GitHub Enterprise Server, so everything is below `/api/v3`). It refuses what GitHub refuses:
 * codes that were used, JWTs that are forged, from the future or too long, tokens that have ended, repositories and rights
 * that a token does not have, and bodies that are not as documented.
 */
export async function githubDouble(of: { readonly repository: string; readonly now: () => number }) {
  const [, name] = of.repository.split('/');
  const tokens = new Map<string, MintedToken>();
  const codes = new Set<string>();
  const asked: { repositories: string[]; permissions: Permissions }[] = [];
  const checks: CheckRun[] = [];
  const deployments: ShownDeployment[] = [];
  const comments: { id: number; text: string }[] = [];
  const state = {
    granted: {
      ...{ metadata: 'read', contents: 'read', pull_requests: 'write' },
      ...{ statuses: 'write', checks: 'write', deployments: 'write' },
    } as Permissions,
    isInstalled: true,
    fault: (_request: Request): Response | undefined => undefined,
  };
  let nextId = 100;

  function checkJwt(header: string | undefined): Response | undefined {
    const refuse = (message: string) => json(401, { message }, { date: new Date(of.now()).toUTCString() });
    const [head = '', claims = '', signature = ''] = (header ?? '').replace(/^Bearer /, '').split('.');
    const isSigned = verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${claims}`),
      createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
      Buffer.from(signature, 'base64url'),
    );
    if (!isSigned) return refuse('A JSON web token could not be decoded');
    const { iat, exp, iss } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const now = of.now() / 1_000;
    if (iss !== String(APP_ID)) return refuse('Integration not found');
    if (iat > now)
      return refuse("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
    if (exp <= now) return refuse("'Expiration time' claim ('exp') is not in the future");
    if (exp > now + 600) return refuse("'Expiration time' claim ('exp') is too far in the future");
    return undefined;
  }

  function mint(body: Body): Response {
    const { repositories, permissions } = body as { repositories: string[]; permissions: Permissions };
    if (repositories?.some((one) => one !== name))
      return json(422, { message: 'There is at least one repository that does not exist or is not accessible' });
    const isGranted = Object.entries(permissions ?? {}).every(
      ([right, level]) => state.granted[right] === 'write' || state.granted[right] === level,
    );
    if (!isGranted) return json(422, { message: 'The permissions requested are not granted to this installation.' });
    asked.push({ repositories, permissions });
    const token = `ghs_${randomBytes(18).toString('hex')}`;
    const until = of.now() + 3_600_000;
    tokens.set(token, { repositories, permissions, until });
    return json(201, { token, expires_at: new Date(until).toISOString().replace(/\.\d+Z$/, 'Z') });
  }

  /** Undefined where the token of a request has this right to this repository. */
  function refuseToken({ headers }: Request, repository: string, right: string): Response | undefined {
    const token = tokens.get(/^Bearer (ghs_.+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
    if (!token || token.until <= of.now()) return json(401, { message: 'Bad credentials' });
    if (repository !== of.repository || !token.repositories.includes(name!)) return json(404, { message: 'Not Found' });
    if (token.permissions[right] !== 'write') return json(403, { message: 'Resource not accessible by integration' });
    return undefined;
  }

  function answerRepository(request: Request, repository: string, path: string, body: Body): Response {
    const { method } = request;
    const [, checkId] = /^check-runs(?:\/(\d+))?$/.exec(path) ?? [];
    if (path.startsWith('check-runs'))
      return refuseToken(request, repository, 'checks') ?? answerCheck(method, checkId, body);
    if (path.startsWith('deployments'))
      return refuseToken(request, repository, 'deployments') ?? answerDeployment(path, body);
    if (/^issues\/\d+\/comments/.test(path) || /^issues\/comments\//.test(path))
      return refuseToken(request, repository, 'pull_requests') ?? answerComment(request, path, body);
    return json(404, { message: 'Not Found' });
  }

  function answerCheck(method: string, id: string | undefined, body: Body): Response {
    const invalid = json(422, { message: 'Invalid request.' });
    if (!['queued', 'in_progress', 'completed'].includes(body.status) || !body.output?.title) return invalid;
    if ((body.status === 'completed') !== (body.conclusion !== undefined)) return invalid;
    if (method === 'POST') {
      if (!/^[0-9a-f]{40}$/.test(body.head_sha) || !body.name) return invalid;
      const run: CheckRun = { ...body, id: nextId++ };
      checks.push(run);
      return json(201, { id: run.id });
    }
    const known = checks.find((one) => one.id === Number(id));
    if (!known) return json(404, { message: 'Not Found' });
    Object.assign(known, body);
    return json(200, { id: known.id });
  }

  function answerDeployment(path: string, body: Body): Response {
    const [, id] = /^deployments\/(\d+)\/statuses$/.exec(path) ?? [];
    if (id === undefined) {
      if (body.required_contexts?.length !== 0) return json(409, { message: 'Conflict: Commit status checks failed' });
      const { ref, environment, production_environment, transient_environment } = body;
      const made = { id: nextId++, ref, environment, states: [], production_environment, transient_environment };
      deployments.push(made);
      return json(201, { id: made.id });
    }
    const known = deployments.find((one) => one.id === Number(id));
    if (!known) return json(404, { message: 'Not Found' });
    const STATES = ['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success'];
    if (!STATES.includes(body.state) || body.description?.length > 140)
      return json(422, { message: 'Validation Failed' });
    // As documented: neither what is transient nor what is production's is ended by another.
    if (body.state === 'success' && body.auto_inactive !== false)
      for (const other of deployments)
        if (other !== known && other.environment === known.environment && isActive(other))
          if (!other.production_environment && !other.transient_environment) other.states.push('inactive');
    known.states.push(body.state);
    return json(201, { id: nextId++ });
  }

  function answerComment({ method }: Request, path: string, body: Body): Response {
    if (method === 'GET')
      return json(200, path.includes('page=1') ? comments.map(({ id, text }) => ({ id, body: text })) : []);
    if (method === 'POST') {
      comments.push({ id: nextId++, text: body.body });
      return json(201, { id: comments.at(-1)!.id });
    }
    const known = comments.find(({ id }) => path.endsWith(`/${id}`));
    if (!known) return json(404, { message: 'Not Found' });
    known.text = body.body;
    return json(200, { id: known.id });
  }

  function answer(request: Request): Response {
    const path = request.url.replace(/^\/api\/v3/, '');
    const body = request.body === '' ? {} : JSON.parse(request.body);
    const [, code] = /^\/app-manifests\/([\w-]+)\/conversions$/.exec(path) ?? [];
    if (code !== undefined) {
      if (!codes.delete(code)) return json(404, { message: 'Not Found' });
      const made = { id: APP_ID, slug: 'veren-test', name: 'Veren test', pem: PEM, webhook_secret: HOOK_SECRET };
      return json(201, {
        ...made,
        client_id: 'Iv1',
        client_secret: 'client-secret',
        html_url: 'x',
        owner: { login: 'ada' },
      });
    }
    const [, installed] = /^\/repos\/([^/]+\/[^/]+)\/installation$/.exec(path) ?? [];
    if (installed !== undefined) {
      const isThere = state.isInstalled && installed === of.repository;
      return (
        checkJwt(request.headers.authorization) ??
        (isThere ? json(200, { id: INSTALLATION }) : json(404, { message: 'Not Found' }))
      );
    }
    if (path === `/app/installations/${INSTALLATION}/access_tokens`)
      return checkJwt(request.headers.authorization) ?? mint(body);
    const [, repository, rest] = /^\/repos\/([^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
    return repository && rest ? answerRepository(request, repository, rest, body) : json(404, { message: 'Not Found' });
  }

  const server = await httpDouble((request) => state.fault(request) ?? answer(request));
  return {
    ...{ state, asked, checks, deployments, comments, tokens, requests: server.requests, close: server.close },
    webUrl: server.url,
    gitUrl: `${server.url}/${of.repository}.git`,
    /** As after a person has said yes. */
    newCode(): string {
      const code = randomBytes(10).toString('hex');
      codes.add(code);
      return code;
    },
    isValid: (token: string) => (tokens.get(token)?.until ?? 0) > of.now(),
  };
}

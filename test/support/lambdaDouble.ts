import { randomBytes, randomUUID } from 'node:crypto';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { httpDouble, type Request, type Response } from './httpDouble.ts';

interface Settings {
  Role: string;
  MemorySize: number;
  Timeout: number;
  Environment: { Variables: Record<string, string> };
  LoggingConfig?: { LogGroup: string };
  VpcConfig?: { SubnetIds: string[]; SecurityGroupIds: string[] };
}
interface NewFunction extends Settings {
  FunctionName: string;
  Code: { ImageUri: string };
  PackageType: string;
  Architectures: string[];
  Description: string;
}
interface Snapshot extends Settings {
  CodeSha256: string;
  ImageUri: string;
}
interface Version extends Snapshot {
  Description: string;
  state: 'Active' | 'Pending' | 'Inactive' | 'Failed';
  reason?: { StateReasonCode: string; StateReason: string };
}
interface Alias {
  Name: string;
  FunctionVersion: string;
  Description?: string;
}
export interface FunctionState {
  latest: Snapshot;
  revision: string;
  /** Reads of the configuration for which a change is still under way. */
  busy: number;
  isNew: boolean;
  lastFault?: { LastUpdateStatusReasonCode: string; LastUpdateStatusReason: string };
  versions: Map<string, Version>;
  published: number;
  aliases: Map<string, Alias>;
  urls: Map<string, { host: string; AuthType: string; InvokeMode: string }>;
  policies: Map<string, Record<string, unknown>[]>;
}

const RESERVED =
  /^(AWS_(REGION|DEFAULT_REGION|ACCESS_KEY|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|LAMBDA_.*)|_.*)$/;
const NAME = /^[a-zA-Z][a-zA-Z0-9_]+$/;

/**
 * Lambda's control plane over HTTP: it refuses what the service refuses (changes while another is under way, what is there
 * already, versions of another revision, aliases of no version, versions that an alias points at, variables over 4 KB, a
 * role that is not known yet, a VPC that the role has no rights for), and throws on calls that it does not know.
 */
export async function lambdaDouble({ busyReads = 2, mayAttach = (_role: string): boolean => true } = {}) {
  const functions = new Map<string, FunctionState>();
  /** Answers of the next calls, in place of the right ones. */
  const faults: Response[] = [];
  const broken = { role: 0 };
  /** Called before every call: another releaser. */
  const before: ((request: Request) => void)[] = [];
  const answer = (body: object, status = 200): Response => ({
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const refuse = (status: number, type: string, message: string): Response => ({
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ Message: message, Type: 'User' }),
  });
  const missing = (what: string) => refuse(404, 'ResourceNotFoundException', `${what} not found`);
  const conflict = (message: string) => refuse(409, 'ResourceConflictException', message);
  const invalid = (message: string) => refuse(400, 'InvalidParameterValueException', message);

  function checkSettings({ Environment, MemorySize, Timeout, VpcConfig, Role }: Partial<Settings>): Response | null {
    const variables = Environment?.Variables ?? {};
    const names = Object.keys(variables);
    if (names.some((name) => RESERVED.test(name)))
      return invalid('Lambda was unable to configure your environment variables because of reserved keys.');
    if (names.some((name) => !NAME.test(name))) return refuse(400, 'ValidationException', 'name of a variable');
    if (Buffer.byteLength(JSON.stringify(variables)) > 4_096)
      return invalid('environment variables you have provided exceeded the 4KB limit');
    if (MemorySize !== undefined && (MemorySize < 128 || MemorySize > 10_240)) return invalid('MemorySize');
    if (Timeout !== undefined && (Timeout < 1 || Timeout > 900)) return invalid('Timeout');
    if (broken.role > 0) {
      broken.role--;
      return invalid('The role defined for the function cannot be assumed by Lambda.');
    }
    const { SubnetIds = [], SecurityGroupIds = [] } = VpcConfig ?? {};
    if (SubnetIds.length > 0 !== SecurityGroupIds.length > 0) return invalid('SubnetIds and SecurityGroupIds');
    if (SubnetIds.length > 0 && !mayAttach(`${Role}`))
      return invalid('The provided execution role does not have permissions to call CreateNetworkInterface on EC2');
    return null;
  }

  /** At most 50 of a list, as the service gives. */
  function pageOf(name: string, all: object[], search: URLSearchParams) {
    const at = Number(search.get('Marker') ?? 0);
    const end = at + Math.min(50, Number(search.get('MaxItems') ?? 50));
    return { [name]: all.slice(at, end), ...(end < all.length && { NextMarker: String(end) }) };
  }

  const digestOf = (uri: string) => uri.split('@sha256:')[1] ?? '';
  function changed(fn: FunctionState): void {
    fn.busy = busyReads;
    fn.revision = randomUUID();
  }

  function configuration(name: string, fn: FunctionState, qualifier: string | undefined): Response {
    if (qualifier === undefined || qualifier === '$LATEST') {
      const isBusy = fn.busy > 0;
      if (isBusy && --fn.busy === 0) fn.revision = randomUUID();
      return answer({
        ...{ ...fn.latest, ImageUri: undefined },
        ...{ FunctionName: name, Version: '$LATEST', RevisionId: fn.revision },
        State: isBusy && fn.isNew ? 'Pending' : 'Active',
        LastUpdateStatus: isBusy ? 'InProgress' : fn.lastFault ? 'Failed' : 'Successful',
        ...fn.lastFault,
      });
    }
    const number = fn.aliases.get(qualifier)?.FunctionVersion ?? qualifier;
    const version = fn.versions.get(number);
    if (!version) return missing(`Function ${name}:${qualifier}`);
    const { state, reason, ...rest } = version;
    // A version that is woken is ready at the next look.
    if (state === 'Pending') version.state = 'Active';
    return answer({ ...rest, ...reason, FunctionName: name, Version: number, State: state, RevisionId: randomUUID() });
  }

  function create({
    FunctionName: name,
    Code,
    PackageType,
    Architectures,
    Description: _,
    ...settings
  }: NewFunction): Response {
    if (functions.has(name)) return conflict(`Function already exist: ${name}`);
    if (name.length > 64 || PackageType !== 'Image' || !Architectures) return invalid('FunctionName, PackageType');
    const fault = checkSettings(settings);
    if (fault) return fault;
    const { ImageUri } = Code;
    functions.set(name, {
      latest: { ...settings, ImageUri, CodeSha256: digestOf(ImageUri) },
      ...{ revision: randomUUID(), busy: busyReads, isNew: true, published: 0 },
      ...{ versions: new Map(), aliases: new Map(), urls: new Map(), policies: new Map() },
    });
    return answer({ FunctionName: name, State: 'Pending' }, 201);
  }

  function publish(fn: FunctionState, body: Record<string, string>): Response {
    if (body.RevisionId && body.RevisionId !== fn.revision)
      return refuse(412, 'PreconditionFailedException', 'The RevisionId provided does not match the latest one.');
    if (body.CodeSha256 && body.CodeSha256 !== fn.latest.CodeSha256) return invalid('CodeSHA256');
    const last = fn.versions.get(String(fn.published));
    const { state: _, reason: __, Description: ___, ...lastSettings } = last ?? ({} as Version);
    if (last && JSON.stringify(lastSettings) === JSON.stringify(fn.latest))
      return answer({ ...last, Version: String(fn.published) }, 201);
    fn.published++;
    fn.versions.set(String(fn.published), {
      ...structuredClone(fn.latest),
      Description: body.Description ?? '',
      state: 'Active',
    });
    fn.isNew = false;
    return answer({ Version: String(fn.published), State: 'Active' }, 201);
  }

  function aliases(
    fn: FunctionState,
    method: string,
    name: string | undefined,
    body: Alias,
    search: URLSearchParams,
  ): Response {
    if (name === undefined && method === 'GET') return answer(pageOf('Aliases', [...fn.aliases.values()], search));
    if (method === 'POST' || method === 'PUT') {
      const key = name ?? body.Name;
      if (method === 'POST' && fn.aliases.has(key)) return conflict(`Alias already exists: ${key}`);
      if (method === 'PUT' && !fn.aliases.has(key)) return missing(`Alias ${key}`);
      if (!fn.versions.has(body.FunctionVersion)) return missing(`Function version ${body.FunctionVersion}`);
      if (!/^(?!^[0-9]+$)[a-zA-Z0-9-_]{1,128}$/.test(key)) return refuse(400, 'ValidationException', 'alias');
      const alias = { ...fn.aliases.get(key), ...body, Name: key };
      fn.aliases.set(key, alias);
      return answer(alias, method === 'POST' ? 201 : 200);
    }
    const alias = fn.aliases.get(`${name}`);
    if (method === 'GET') return alias ? answer(alias) : missing(`Alias ${name}`);
    // Deleting what is not there succeeds, as it does there.
    fn.aliases.delete(`${name}`);
    fn.policies.delete(`${name}`);
    return { status: 204 };
  }

  function urls(fn: FunctionState, method: string, qualifier: string, body: Record<string, string>): Response {
    const known = fn.urls.get(qualifier);
    const view = (url: NonNullable<typeof known>) => ({ ...url, FunctionUrl: `https://${url.host}/` });
    if (method === 'POST') {
      if (known) return conflict('FunctionUrlConfig exists for this Lambda function');
      if (!fn.aliases.has(qualifier)) return missing(`Function alias ${qualifier}`);
      const host = `${randomBytes(16).toString('hex')}.lambda-url.ap-south-1.on.aws`;
      const url = { host, AuthType: `${body.AuthType}`, InvokeMode: `${body.InvokeMode}` };
      fn.urls.set(qualifier, url);
      return answer(view(url), 201);
    }
    if (!known) return missing('The resource you requested');
    if (method === 'GET') return answer(view(known));
    fn.urls.delete(qualifier);
    return { status: 204 };
  }

  function remove(name: string, fn: FunctionState, qualifier: string | undefined): Response {
    if (qualifier === undefined) {
      functions.delete(name);
      return { status: 204 };
    }
    const pointing = [...fn.aliases.values()].filter(({ FunctionVersion }) => FunctionVersion === qualifier);
    if (pointing.length > 0) return conflict(`Version(s) are currently being used by alias ${pointing[0]?.Name}`);
    return fn.versions.delete(qualifier) ? { status: 204 } : missing(`Function ${name}:${qualifier}`);
  }

  function respond({ method, url, body: text }: Request): Response {
    const { pathname, searchParams } = new URL(url, 'http://lambda');
    const qualifier = searchParams.get('Qualifier') ?? undefined;
    const body = text ? JSON.parse(text) : {};
    const [, , , encoded = '', part = '', rest] = pathname.split('/');
    const name = decodeURIComponent(encoded);
    if (method === 'POST' && name === '') return create(body);
    const fn = functions.get(name);
    if (!fn) return missing(`Function not found: ${name}`);
    switch (`${method} ${part}`) {
      case 'GET configuration':
        return configuration(name, fn, qualifier);
      case 'PUT configuration':
      case 'PUT code': {
        if (fn.busy > 0) return conflict('The operation cannot be performed at this time. An update is in progress');
        const fault = part === 'configuration' ? checkSettings(body) : null;
        if (fault) return fault;
        delete fn.lastFault;
        const code = body.ImageUri && { ImageUri: body.ImageUri, CodeSha256: digestOf(body.ImageUri) };
        fn.latest = { ...fn.latest, ...(part === 'configuration' ? body : code) };
        changed(fn);
        return answer({ LastUpdateStatus: 'InProgress', RevisionId: fn.revision });
      }
      case 'POST versions':
        return fn.busy > 0 ? conflict('An update is in progress') : publish(fn, body);
      case 'GET versions':
        return answer(
          pageOf(
            'Versions',
            [...fn.versions].map(([Version, version]) => ({ ...version, Version })),
            searchParams,
          ),
        );
      case 'GET aliases':
      case 'POST aliases':
      case 'PUT aliases':
      case 'DELETE aliases':
        return aliases(fn, method, rest && decodeURIComponent(rest), body, searchParams);
      case 'GET url':
      case 'POST url':
      case 'DELETE url':
        return urls(fn, method, `${qualifier}`, body);
      case 'POST policy': {
        const policy = fn.policies.get(`${qualifier}`) ?? [];
        if (!fn.aliases.has(`${qualifier}`)) return missing(`Function alias ${qualifier}`);
        if (policy.some(({ StatementId }) => StatementId === body.StatementId))
          return conflict(`The statement id (${body.StatementId}) provided already exists.`);
        fn.policies.set(`${qualifier}`, [...policy, body]);
        return answer({ Statement: '{}' }, 201);
      }
      case 'DELETE ':
        return remove(name, fn, qualifier);
      default:
        throw new Error(`the double does not know ${method} ${url}`);
    }
  }

  const endpoint = await httpDouble((request) => {
    for (const act of before) act(request);
    const fault = faults.shift();
    if (fault) return fault;
    try {
      return respond(request);
    } catch (error) {
      return { status: 500, headers: { 'x-amzn-errortype': 'TestFault' }, body: `{"Message":"${error}"}` };
    }
  });
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'test' };
  const client = new LambdaClient({ region: 'ap-south-1', endpoint: endpoint.url, credentials, maxAttempts: 2 });
  return {
    client,
    functions,
    faults,
    broken,
    before,
    requests: endpoint.requests,
    throttle: (times: number) => {
      for (let i = 0; i < times; i++) faults.push(refuse(429, 'TooManyRequestsException', 'Rate Exceeded.'));
    },
    /** The version that a function URL's host leads to. */
    versionAt(host: string): { version: Version; policy: Record<string, unknown>[]; number: string } | undefined {
      for (const fn of functions.values())
        for (const [alias, url] of fn.urls)
          if (url.host === host) {
            const number = `${fn.aliases.get(alias)?.FunctionVersion}`;
            const version = fn.versions.get(number);
            return version && { version, policy: fn.policies.get(alias) ?? [], number };
          }
      return undefined;
    },
    async close() {
      client.destroy();
      await endpoint.close();
    },
  };
}

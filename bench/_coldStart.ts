import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import type { bundleFunction, writeBundle } from '../lib/constructs/bundle.ts';

/** A checkout, and where the bundles of its functions are. */
export interface Tree {
  readonly environmentOf: (name: string) => Record<string, string>;
  readonly entryOf: (name: string) => string;
}

/** Milliseconds. The CPU's part is what a busy machine does not stretch. */
export interface ColdStart {
  readonly load: number;
  readonly loadCpu: number;
  /** Of loading and of a first invoke that reaches no engine: what both must load before there is an answer. */
  readonly firstCpu: number;
}

interface Contract {
  readonly FunctionEnvSchemas: Record<string, z.ZodObject>;
}
interface Builders {
  readonly BUILDERS: readonly { readonly env: Record<string, string> }[];
}
interface Bundling {
  readonly bundleFunction?: typeof bundleFunction;
  /** What it was called before. */
  readonly bundle?: typeof bundleFunction;
  readonly writeBundle: typeof writeBundle;
}

/** Bundles functions of a checkout into a folder, by that checkout's own rules. */
export async function bundleTree(root: string, names: readonly string[], folder: string): Promise<Tree> {
  const load = async (path: string) => import(pathToFileURL(join(root, path)).href);
  const { bundleFunction, bundle, writeBundle }: Bundling = await load('lib/constructs/bundle.ts');
  const { FunctionEnvSchemas }: Contract = await load('contract/function-env.ts');
  const { BUILDERS }: Builders = await load('contract/builders.ts');
  const make = bundleFunction ?? bundle;
  if (!make) throw new Error(`${root} bundles its functions in another way`);
  const own = mkdtempSync(join(folder, 'tree-'));
  for (const name of names) writeBundle(await make(name), join(own, name));
  return {
    entryOf: (name) => join(own, name, 'index.mjs'),
    environmentOf: (name) => sampleEnvironment(FunctionEnvSchemas[name] as z.ZodObject, BUILDERS),
  };
}

/** A valid environment that reaches nothing. */
function sampleEnvironment(schema: z.ZodObject, builders: Builders['BUILDERS']): Record<string, string> {
  const fixed: Record<string, string> = {
    REDIS_URL: 'redis://127.0.0.1:1',
    KAFKA_BROKERS: '127.0.0.1:1',
    KAFKA_SECURITY: 'plaintext',
    GIT_HOSTS: 'public',
    BUILDER_SPOT: 'false',
    SITES_BY_PATH: 'true',
    WEBSOCKET_CALLBACK_URL: 'https://127.0.0.1:1',
  };
  const needed = Object.entries(schema.shape).filter(([, field]) => !(field as z.ZodType).isOptional());
  const names = [...needed.map(([name]) => name), ...builders.flatMap((builder) => Object.values(builder.env))];
  const sampleValue = (name: string) => fixed[name] ?? (/TIMEOUT|LIMIT/.test(name) ? '60' : 'x');
  const access = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
  return { AWS_REGION: 'ap-south-1', ...access, ...Object.fromEntries(names.map((name) => [name, sampleValue(name)])) };
}

/** Every kind of event at once; each function looks at what is its own. */
const EVENT = {
  version: '2.0',
  RequestType: 'Create',
  ResourceProperties: { topics: [] },
  rawPath: '/deployments',
  rawQueryString: 'projectId=x',
  headers: { authorization: 'Bearer x', host: 'x' },
  requestContext: { http: { method: 'GET', path: '/deployments' }, routeKey: '$default', connectionId: 'x' },
  records: {},
};

const INVOKE_MS = 1_000;

/** One fresh process: loads the module, says how long that took, invokes its handler once. */
export function startCold(tree: Tree, name: string): ColdStart {
  // Lambda's runtime has this global; response streaming is wrapped with it.
  const script = `
    import { PassThrough } from 'node:stream';
    const stream = (f) => (event, context) => f(event, new PassThrough(), context);
    globalThis.awslambda = { streamifyResponse: stream, HttpResponseStream: { from: (s) => s } };
    const cpu = (since) => { const used = process.cpuUsage(since); return (used.user + used.system) / 1000; };
    console.log = console.error = console.warn = () => {};
    const at = performance.now(), before = process.cpuUsage();
    const { handler } = await import(${JSON.stringify(tree.entryOf(name))});
    const load = performance.now() - at, loadCpu = cpu(before);
    const context = { awsRequestId: 'x', functionName: 'x', getRemainingTimeInMillis: () => 900_000 };
    process.on('unhandledRejection', () => {});
    const run = (async () => handler(${JSON.stringify(EVENT)}, context))().catch(() => {});
    await Promise.race([run, new Promise((done) => setTimeout(done, ${INVOKE_MS}))]);
    process.stdout.write([load, loadCpu, cpu(before)].join(' '), () => process.exit(0));`;
  const env = { PATH: process.env.PATH, ...tree.environmentOf(name) };
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
  const [load = 0, loadCpu = 0, firstCpu = 0] = output.split(' ').map(Number);
  return { load, loadCpu, firstCpu };
}

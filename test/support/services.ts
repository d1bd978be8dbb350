import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { NodeMajor } from '../../contract/node-lines.ts';
import { type CompleteServiceSettings, DEFAULT_SERVICE } from '../../contract/services.ts';
import type { ServiceVersion } from '../../lambdas/shared/services/servicePort.ts';
import { chooseBuildUsers } from '../../local/platform/buildUsers.ts';
import { LocalServices, type LocalServicesOptions } from '../../local/services/localServices.ts';
import { testSecretBox } from './api.ts';
import { temporaryFolder } from './folders.ts';

const HOST_MAJOR = Number.parseInt(process.versions.node, 10) as NodeMajor;

/** A server that answers with what `answer`, an expression over `q` (the request), gives. */
export const serverOf = (answer: string, before = '') => `${before}
require('node:http').createServer(async (q, r) => { r.end(String(await (${answer}))); }).listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
`;

export interface ServiceBench {
  readonly services: LocalServices;
  readonly dataDir: string;
  /** A version whose `server.js` is this. */
  version(source: string, of?: Partial<ServiceVersion>, settings?: Partial<CompleteServiceSettings>): ServiceVersion;
  /** The answer of a version to one request. */
  ask(version: ServiceVersion, path?: string): Promise<{ status: number; text: string }>;
  /** As after another start of the platform, with the same data. @param over Other options. */
  reopen(over?: Partial<BenchOptions>): Promise<ServiceBench>;
}

interface BenchOptions extends LocalServicesOptions {
  /** The platform does not listen yet. */
  readonly isBefore: boolean;
}

/** Services of a laptop, with folders in place of what builds have stored. */
export async function openServiceBench(
  { isBefore, ...over }: Partial<BenchOptions> = {},
  dataDir = temporaryFolder(),
  archives = new Map<string, Buffer>(),
  box = testSecretBox(),
): Promise<ServiceBench> {
  // So that services have users of their own, where this is root.
  chmodSync(dataDir, 0o711);
  const s3 = {
    send: async ({ input }: { input: { Key: string } }) => ({ Body: Readable.from([archives.get(input.Key)!]) }),
  };
  const options = { dataDir, s3: s3 as never, users: chooseBuildUsers(dataDir), hostEnv: {}, secretBox: box };
  const services = await LocalServices.open({ ...options, clock: { now: Date.now }, ...over });
  if (!isBefore) services.resume();
  return {
    services,
    dataDir,
    version(source, of = {}, settings = {}) {
      const deploymentId = of.deploymentId ?? `d${archives.size + 1}`;
      const bytes = archiveOf({ 'server.js': source });
      archives.set(deploymentId, bytes);
      return {
        ...{ projectId: 'shop', owner: 'ada', deploymentId, variables: 0, port: 3_000, environment: {}, secrets: [] },
        settings: { ...DEFAULT_SERVICE, healthSeconds: 10, ...settings },
        artifact: {
          ...{ kind: 'folder', bucket: 'bucket', key: deploymentId, bytes: bytes.length },
          digest: createHash('sha256').update(bytes).digest('hex'),
          start: { argv: ['node', 'server.js'], cwd: '.', nodeMajor: HOST_MAJOR, variables: {} },
        },
        ...of,
      };
    },
    async ask({ projectId, deploymentId, variables }, path = '/') {
      const lease = await services.lease(projectId, `${deploymentId}-${variables}`);
      if (!lease) return { status: 404, text: '' };
      try {
        const host = lease.host === '::1' ? '[::1]' : lease.host;
        const answer = await fetch(`http://${host}:${lease.port}${path}`);
        return { status: answer.status, text: await answer.text() };
      } finally {
        lease.release();
      }
    },
    reopen: (others) => openServiceBench({ ...over, ...others }, dataDir, archives, box),
  };
}

function archiveOf(files: Readonly<Record<string, string>>): Buffer {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return execFileSync('tar', ['--create', '--file=-', '-C', folder, '.']);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { type Agent, get } from 'node:http';
import { join } from 'node:path';
import type { CreateDeployment, DeploymentView } from '../../contract/api.ts';
import { makeRepositoryFromFolder } from '../../local/client/makeRepositoryFromFolder.ts';
import { HOST_NODE, type Veren } from './veren.ts';

interface DeployedAt {
  readonly veren: Veren;
  /** Sources and repositories are made below it. */
  readonly folder: string;
}

let serial = 0;

/** Deploys a backend of one file, with a page beside it where that is given. */
export async function deployServer(
  { veren, folder }: DeployedAt,
  projectId: string,
  server: string,
  { page, ...more }: { page?: string } & Partial<CreateDeployment> = {},
): Promise<DeploymentView> {
  const source = join(folder, `server-${++serial}`);
  const backend = page === undefined ? source : join(source, 'backend');
  await mkdir(backend, { recursive: true });
  await writeFile(join(backend, 'package.json'), JSON.stringify({ name: 'api', scripts: { start: 'node server.js' } }));
  await writeFile(join(backend, 'server.js'), server);
  if (page !== undefined) {
    await mkdir(join(source, 'frontend'));
    await writeFile(join(source, 'frontend/index.html'), page);
  }
  const { url: gitUrl } = await makeRepositoryFromFolder(source, join(folder, `server-repository-${serial}`));
  return veren.deploy({
    ...{ projectId, gitUrl, ...more },
    frontend: page === undefined ? false : { path: 'frontend' },
    backend: { ...HOST_NODE, ...(page !== undefined && { path: 'backend' }) },
  });
}

/** Where production shows a deployment. */
export const productionUrl = ({ service, builds: { frontend } }: DeploymentView): string =>
  (frontend?.artifact?.kind === 'static' ? frontend.artifact.url : service?.url) ?? '';

/** What a host of the platform answers: Node does not resolve names below `localhost`. */
export function askHost(
  address: string,
  path: string,
  agent: Agent | false = false,
): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers: { host: `${hostname}:${port}` }, agent }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.on('error', reject);
    }).on('error', reject);
  });
}

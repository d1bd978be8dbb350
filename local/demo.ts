import { mkdtemp, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import pc from 'picocolors';
import type { DeploymentView, SiteAddresses } from '../contract/api.ts';
import { makeRepositoryFromFolder } from './client/makeRepositoryFromFolder.ts';
import { showDeployment } from './client/showDeployment.ts';
import { VerenClient } from './client/VerenClient.ts';
import { openToBuilds } from './platform/dataFolder.ts';
import type { HostEnv } from './platform/images.ts';
import { type Platform, startPlatform } from './platform/platform.ts';
import { textLog } from './platform/textLog.ts';
import { portOf } from './port.ts';
import { DEFAULT_DATA_DIR } from './start.ts';
import { untilSignal } from './untilSignal.ts';

export interface DemoOptions {
  readonly env: HostEnv;
  readonly dataDir: string | undefined;
  /** Check that the site answers, stop everything, and exit. */
  readonly once: boolean;
  /** A git URL or a folder with a git repository; absent: the bundled React example. */
  readonly source: string | undefined;
}

const DEMO_DATA_DIR = join(DEFAULT_DATA_DIR, 'demo');
const EXAMPLE = resolve(import.meta.dirname, '../examples/react-vite');

/** `npm run demo`: starts the platform, deploys over HTTP as any client would, shows it. Gives the exit code. */
export async function runDemo({ env, dataDir = DEMO_DATA_DIR, once, source }: DemoOptions): Promise<number> {
  const stopped = untilSignal();
  const stop = new AbortController();
  void stopped.then(() => stop.abort(new Error('stopped by a signal')));
  let platform: Platform | undefined;
  try {
    if (dataDir === DEMO_DATA_DIR) await openToBuilds(dataDir);
    platform = await startPlatform({
      dataDir,
      port: portOf(env, 0),
      ...(env.VEREN_TOKEN && { token: env.VEREN_TOKEN }),
      hostEnv: env,
      ...(env.VEREN_DEBUG && { log: textLog() }),
    });
    const { projectId, gitUrl } = await chooseRepository(source, await mkdtemp(join(platform.temporary, 'demo-')));
    console.log(
      `Veren runs at ${platform.url}. Deploying ${source ?? 'the bundled React example'} over its HTTP API.\n`,
    );
    if (platform.warning) console.log(`${platform.warning}\n`);
    const client = new VerenClient({ baseUrl: platform.url, token: platform.token });
    const accepted = await client.createDeployment({ projectId, gitUrl });
    const { stdout: out } = process;
    const isTTY = out.isTTY === true;
    const color = pc.isColorSupported;
    const record = await showDeployment(client, accepted, { out, isTTY, color, signal: stop.signal });
    const { url, hostUrl } = siteAddresses(record);
    if (record.status !== 'succeeded') return 1;
    if (!url) return 0;
    await requireAnswer(url);
    if (!once) console.log('\nIt is served until Ctrl-C.');
    if (hostUrl) console.log(`In a browser, with cookies of its own: ${hostUrl}`);
    console.log(`Live: ${url}`);
    if (!once) await stopped;
    return 0;
  } catch (e) {
    if (stop.signal.aborted) return 130;
    throw e;
  } finally {
    await platform?.close();
    if (platform) await rm(platform.temporary, { recursive: true, force: true });
  }
}

/** The repository to deploy, and a project for it. A folder is given to git as a `file:` URL. */
async function chooseRepository(
  source: string | undefined,
  scratch: string,
): Promise<{ projectId: string; gitUrl: string }> {
  if (source === undefined) {
    const { url } = await makeRepositoryFromFolder(EXAMPLE, join(scratch, 'react-vite'));
    return { projectId: 'demo', gitUrl: url };
  }
  const folder = resolve(source);
  const isFolder = await stat(folder).then(
    (s) => s.isDirectory(),
    () => false,
  );
  const projectId = projectIdFrom(source);
  return { projectId, gitUrl: isFolder ? pathToFileURL(folder).href : source };
}

/** `https://host/me/My_Site.git` → `my-site`. */
function projectIdFrom(source: string): string {
  const name = basename(resolve('/', source.replace(/\/+$/, ''))).replace(/\.git$/, '');
  const id = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return id.slice(0, 63).replace(/-$/, '') || 'demo';
}

function siteAddresses(record: DeploymentView): Partial<SiteAddresses> {
  const artifact = record.builds.frontend?.artifact;
  return artifact?.kind === 'static' ? artifact : {};
}

/** Checks that a plain HTTP request for the page is answered with it. */
async function requireAnswer(url: string): Promise<void> {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
  await answer.arrayBuffer();
}

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import pc from 'picocolors';
import { showDeployment } from '../cli/client/showDeployment.ts';
import { VerenClient } from '../cli/client/VerenClient.ts';
import type { DeploymentView, SiteAddresses } from '../contract/api.ts';
import { makeRepositoryFromFolder } from './client/makeRepositoryFromFolder.ts';
import { closeInTime } from './closeInTime.ts';
import { DEMO_DATA_DIR } from './dataDirs.ts';
import { openToBuilds } from './platform/dataFolder.ts';
import type { HostEnv } from './platform/images.ts';
import { type Platform, startPlatform } from './platform/platform.ts';
import { textLog } from './platform/textLog.ts';
import { untilSignal } from './untilSignal.ts';

export interface DemoOptions {
  readonly env: HostEnv;
  readonly dataDir: string;
  readonly port: number;
  /** Check that the site answers, stop everything, and exit. */
  readonly once: boolean;
  /** A git URL, a folder with a git repository, or the name of a bundled example; absent: `react-vite`. */
  readonly source: string | undefined;
}

const EXAMPLES = resolve(import.meta.dirname, '../examples');
const EXAMPLE = join(EXAMPLES, 'react-vite');

/** `npm run demo`: starts the platform, deploys over HTTP as any client would, shows it. Gives the exit code. */
export async function runDemo({ env, dataDir, port, once, source }: DemoOptions): Promise<number> {
  const stopped = untilSignal();
  const stop = new AbortController();
  void stopped.then(() => stop.abort(new Error('stopped by a signal')));
  let platform: Platform | undefined;
  try {
    if (dataDir === DEMO_DATA_DIR) await openToBuilds(dataDir);
    platform = await startPlatform({
      dataDir,
      port,
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
    const backend = record.service?.url;
    if (backend) console.log(`Its backend answers at ${backend}`);
    if (!url && !backend) return 0;
    if (!url) {
      console.log(`Live: ${backend}`);
      if (!once) await stopped;
      return 0;
    }
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
    if (platform) {
      await closeInTime(platform);
      await rm(platform.temporary, { recursive: true, force: true });
    }
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
  const example = join(EXAMPLES, source);
  if (/^[\w-]+$/.test(source) && !(await isDirectory(resolve(source))) && (await isDirectory(example))) {
    const { url } = await makeRepositoryFromFolder(example, join(scratch, source));
    return { projectId: projectIdFrom(source), gitUrl: url };
  }
  const folder = resolve(source);
  const isFolder = await isDirectory(folder);
  const projectId = projectIdFrom(source);
  return { projectId, gitUrl: isFolder ? pathToFileURL(folder).href : source };
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );

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

/** A release follows the end of its deployment within a moment. */
const SHOWN_WITHIN_MS = 10_000;

/** Checks that a plain HTTP request for the page is answered with it. */
async function requireAnswer(url: string): Promise<void> {
  for (const end = Date.now() + SHOWN_WITHIN_MS; ; ) {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    if (answer.status === 200) return;
    if (Date.now() > end) throw new Error(`${url} answers ${answer.status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

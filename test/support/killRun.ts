import { spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { CreateDeployment, DeploymentView } from '../../contract/api.ts';
import { isTerminal } from '../../contract/record.ts';
import { makeRepo } from './gitServer.ts';
import { randomOf } from './random.ts';
import { HOST_NODE, ROOT, startVeren, type Veren } from './veren.ts';

export interface KillRun {
  readonly folder: string;
  readonly deployments: number;
  /** SIGKILLs of the platform, and of builders. */
  readonly platformKills: number;
  readonly builderKills: number;
  readonly seed: number;
  /** Every third build on a Node that has to be fetched first. */
  readonly toolchains: boolean;
  readonly deadlineMs: number;
}

export interface KillSummary {
  readonly platformKills: number;
  readonly builderKills: number;
  readonly succeeded: number;
  /** Accepted and not there any more, or ended otherwise than well. */
  readonly lost: number;
  /** Records beyond one for each request. */
  readonly doubled: number;
  readonly stuck: number;
  readonly retriesExhausted: number;
  readonly processesLeft: number;
  /** Work folders and temporary folders of git. */
  readonly foldersLeft: number;
  readonly toolchainsLeft: number;
}

/** Deploys while the platform and its builders are killed again and again, and counts what is wrong at the end. */
export async function killRun(run: KillRun): Promise<KillSummary & { readonly details: readonly string[] }> {
  const random = randomOf(run.seed);
  const data = join(run.folder, 'data');
  const temporary = join(run.folder, 'tmp');
  await mkdir(temporary);
  await chmod(temporary, 0o777);
  const env = { TMPDIR: temporary };
  const start = () => startVeren(data, env);
  let veren: Veren | null = await start();
  let platformKills = 0;
  let builderKills = 0;

  async function killPlatforms(): Promise<void> {
    while (platformKills < run.platformKills) {
      await sleep(500 + random() * 5_000);
      const doomed = veren!;
      veren = null;
      await doomed.kill();
      platformKills++;
      // Now and then the next one dies while it is starting.
      while (platformKills < run.platformKills && random() < 0.2) {
        await startAndKill(data, env, 100 + random() * 3_000);
        platformKills++;
      }
      veren = await start();
    }
  }

  /** Of one build no more than it may lose: three would end it, and rightly so. */
  const killsOf = new Map<string, number>();
  async function killBuilders(): Promise<void> {
    while (builderKills < run.builderKills && !done.aborted) {
      await sleep(300 + random() * 4_000);
      const running = veren ? await runningBuilders(data) : [];
      const spared = running.filter(({ build }) => (killsOf.get(build) ?? 0) < 2);
      const doomed = spared[Math.floor(random() * spared.length)];
      if (!doomed || !kill(doomed.pid)) continue;
      killsOf.set(doomed.build, (killsOf.get(doomed.build) ?? 0) + 1);
      builderKills++;
    }
  }

  const accepted = new Map<string, string>();
  async function deployAll(): Promise<void> {
    for (let i = 0; i < run.deployments; i++) {
      const projectId = `p${i}`;
      const request = await requestOf(run, projectId, random);
      for (;;)
        try {
          if (!veren) throw new Error('restarting');
          accepted.set(projectId, (await veren.client.createDeployment(request, `key-${i}`)).deploymentId);
          break;
        } catch {
          await sleep(200);
        }
      await sleep(random() * 1_000);
    }
  }

  const finished = new AbortController();
  const done = finished.signal;
  const builders = killBuilders();
  await Promise.all([killPlatforms(), deployAll()]);
  const deadline = Date.now() + run.deadlineMs;
  let records: DeploymentView[] = [];
  do {
    await sleep(1_000);
    records = await listAll(veren!);
  } while (Date.now() < deadline && !records.every((r) => isTerminal(r.status)));
  finished.abort();
  await builders;

  await settle(async () => (await leftFolders(data, temporary)).length === 0);
  await veren!.stop();
  await settle(async () => (await processesOf(run.folder)).length === 0);
  const known = new Map(records.map((r) => [r.deploymentId, r]));
  const ended = [...accepted.values()].map((id) => known.get(id));
  const processes = await processesOf(run.folder);
  const folders = await leftFolders(data, temporary);
  const toolchains = (await namesIn(join(data, 'toolchains'))).filter((n) => /^\.new-|\.lock$/.test(n));
  const errors = records.flatMap((r) => (r.error ? `${r.projectId} ${r.error.code}: ${r.error.message}` : []));
  return {
    platformKills,
    builderKills,
    succeeded: ended.filter((r) => r?.status === 'succeeded').length,
    lost: ended.filter((r) => !r || (isTerminal(r.status) && r.status !== 'succeeded')).length,
    doubled: records.length - new Set(records.map((r) => r.projectId)).size,
    stuck: records.filter((r) => !isTerminal(r.status)).length,
    retriesExhausted: records.filter((r) => /RETRIES_EXHAUSTED|CRASHES_REPEATED/.test(r.error?.code ?? '')).length,
    processesLeft: processes.length,
    foldersLeft: folders.length,
    toolchainsLeft: toolchains.length,
    details: [...errors, ...processes, ...folders, ...toolchains],
  };
}

async function requestOf(run: KillRun, projectId: string, random: () => number): Promise<CreateDeployment> {
  const seconds = (random() * 3).toFixed(1);
  const scripts = { build: `sleep ${seconds} && mkdir -p out && echo ${projectId} > out/index.html` };
  const { path } = makeRepo(join(run.folder, 'repositories', projectId), {
    'package.json': JSON.stringify({ scripts }),
  });
  const fetched = run.toolchains && Number(projectId.slice(1)) % 3 === 0;
  return {
    projectId,
    gitUrl: pathToFileURL(path).href,
    frontend: { outputDirectory: 'out', installCommand: '', ...(fetched ? { nodeVersion: 22 as const } : HOST_NODE) },
    backend: false,
  };
}

async function listAll({ client }: Veren): Promise<DeploymentView[]> {
  const records: DeploymentView[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await client.listDeployments({ limit: 100, ...(cursor && { cursor }) });
    records.push(...page.items);
    cursor = page.cursor;
    if (!cursor) return records;
  }
}

async function startAndKill(data: string, env: Record<string, string>, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/local.ts', 'start', '--data', data], {
    cwd: ROOT,
    env: { ...process.env, PORT: '0', ...env },
    stdio: 'ignore',
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await sleep(afterMs);
  child.kill('SIGKILL');
  await exited;
}

/** First processes of the tasks that run and whose builds they are, as the platform has written them down. */
async function runningBuilders(data: string): Promise<{ pid: number; build: string }[]> {
  const found: { pid: number; build: string }[] = [];
  for (const name of (await namesIn(join(data, 'ecs'))).filter((n) => n.endsWith('.json'))) {
    const text = await readFile(join(data, 'ecs', name), 'utf8').catch(() => '{}');
    const {
      lastStatus,
      startedBy = '',
      process: leader,
    } = JSON.parse(text || '{}') as {
      lastStatus?: string;
      /** `<deployment>-<target>-<attempt>-<start>` */
      startedBy?: string;
      process?: { pid: number };
    };
    if (lastStatus === 'RUNNING' && leader) found.push({ pid: leader.pid, build: startedBy.replace(/-\d+-\d+$/, '') });
  }
  return found;
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** Processes whose command line or environment names the folder. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await namesIn('/proc')).filter((n) => /^\d+$/.test(n) && Number(n) !== process.pid)) {
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    if (`${await read('cmdline')}\0${await read('environ')}`.includes(folder))
      found.push(`${pid} ${(await read('cmdline')).replaceAll('\0', ' ').slice(0, 200)}`);
  }
  return found;
}

async function leftFolders(data: string, temporary: string): Promise<string[]> {
  const work = (await namesIn(join(data, 'work'))).filter((name) => !name.startsWith('.'));
  const trash = await namesIn(join(data, 'work.trash'));
  const git = (await namesIn(temporary)).filter((name) => name.startsWith('veren-git-'));
  return [...work, ...trash, ...git];
}

const namesIn = (path: string) => readdir(path).catch(() => [] as string[]);

async function settle(isSettled: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300 && !(await isSettled()); i++) await sleep(200);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { deployServer, productionUrl } from '../test/support/deployServer.ts';
import { freePort } from '../test/support/freePort.ts';
import { startVeren, temporaryFolder, type Veren } from '../test/support/veren.ts';
import { type BaselineProxy, startBaselines } from './_proxies.ts';
import { median, percentile } from './_stats.ts';

const DEPLOYMENTS = 3;
const ROUNDS = 3;
const ONE_BY_ONE = 1_000;
const AT_ONCE = 16;
const TOGETHER = 4_000;
const RELEASES = 50;
const PER_SECOND = 200;
const BETWEEN_RELEASES_MS = 200;

/** Answers at once, after a millisecond of work as a framework with a database driver has it, or with 100 KB. */
const serverOf = (name: string) => `const page = Buffer.from('${name} '.repeat(50000).slice(0, 100000));
require('node:http').createServer((q, r) => {
  if (q.url === '/page') return r.end(page);
  if (q.url === '/work') for (const until = performance.now() + 1; performance.now() < until; );
  r.setHeader('content-type', 'application/json');
  r.end('{"name":"${name}"}');
}).listen(process.env.PORT, '127.0.0.1');
`;

/**
 * A backend behind the laptop's addresses against the same file run by hand, in the same run: latency of requests one
 * by one, requests a second with many at once, the start from cold, memory. What any proxy in a process of Node costs is
 * measured beside it. And releases under load: every answer has to be whole, and of one version.
 */
export async function run(): Promise<void> {
  const { path: folder, remove } = await temporaryFolder();
  const data = join(folder, 'data');
  const env = { VEREN_CONTAINER_ENGINE: 'none' };
  let veren = await startVeren(data, env);
  try {
    const records = [];
    for (let i = 0; i < DEPLOYMENTS; i++) {
      const record = await deployServer({ veren, folder }, 'bench', serverOf(`v${i}`));
      if (record.status !== 'succeeded') throw new Error(`${record.error?.code}: ${record.error?.message}`);
      records.push(record);
    }
    const newest = records.at(-1)!;
    const bare = await startBare(folder, serverOf('bare'));
    const routed = new URL(productionUrl(newest));
    const baselines = await startBaselines(bare.url);
    await measureLatency(bare.url, routed, baselines);
    for (const [what, path] of [
      ['answers at once', '/'],
      ['works 1 ms', '/work'],
      ['100 KB', '/page'],
    ] as const)
      await measureThroughput(what, path, bare.url, routed, baselines);
    for (const { process: proxy } of baselines) proxy.kill('SIGKILL');
    await measureMemory(bare.process, veren, DEPLOYMENTS);
    bare.process.kill('SIGKILL');
    await releaseUnderLoad(
      veren,
      routed,
      records.map(({ deploymentId }) => deploymentId),
    );
    // Nothing runs after it: the next request of each version wakes it.
    await veren.kill();
    veren = await startVeren(data, env);
    await measureWake(
      folder,
      records.map(({ service }) => new URL(service?.deploymentUrl ?? '')),
    );
  } finally {
    await veren.stop();
    await remove();
  }
}

async function startBare(folder: string, source: string): Promise<{ process: ChildProcess; url: URL; ms: number }> {
  const file = join(folder, 'bare.cjs');
  await writeFile(file, source);
  const port = await freePort();
  const url = new URL(`http://127.0.0.1:${port}/`);
  const began = performance.now();
  const child = spawn(process.execPath, [file], {
    env: { PORT: String(port), NODE_ENV: 'production' },
    stdio: 'ignore',
  });
  while (!(await ask(url, false).catch(() => null))) await new Promise((r) => setTimeout(r, 5));
  return { process: child, url, ms: performance.now() - began };
}

/**
 * The answer's body; the host of the URL is asked at 127.0.0.1, since Node does not resolve names below localhost.
 * @param onStale A kept connection was ended at this moment, before anything came: browsers send such a request again.
 */
function ask(url: URL, agent: Agent | false, onStale?: () => Promise<string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port, pathname: path, host } = url;
    let hasBegun = false;
    const asked = request({ host: '127.0.0.1', port, path, headers: { host }, agent }, (answer) => {
      hasBegun = true;
      let body = '';
      answer.setEncoding('latin1').on('data', (text) => {
        body += text;
      });
      answer.on('end', () => (answer.statusCode === 200 ? resolve(body) : reject(new Error(`${answer.statusCode}`))));
      answer.on('error', reject);
    });
    asked.on('error', (error: NodeJS.ErrnoException) => {
      if (onStale && !hasBegun && asked.reusedSocket && error.code === 'ECONNRESET') onStale().then(resolve, reject);
      else reject(error);
    });
    asked.end();
  });
}

async function measureLatency(bare: URL, routed: URL, baselines: readonly BaselineProxy[]): Promise<void> {
  const urls = [bare, ...baselines.map(({ url }) => url), routed];
  const took = new Map<URL, number[]>(urls.map((url) => [url, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [url, times] of took) {
      // Of this round alone: servers end connections that are idle for some seconds.
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let i = 0; i < ONE_BY_ONE; i++) {
        const at = performance.now();
        await ask(url, agent);
        if (i >= ONE_BY_ONE / 10) times.push(performance.now() - at);
      }
      agent.destroy();
    }
  for (const p of [0.5, 0.99]) {
    const at = (url: URL) => percentile(took.get(url)!, p);
    const added = (name: string, url: URL) => `${name} +${(at(url) - at(bare)).toFixed(2)} ms`;
    console.log(
      `latency p${p * 100}: bare ${at(bare).toFixed(2)} ms, ` +
        [...baselines.map(({ name, url }) => added(name, url)), added('routed', routed)].join(', '),
    );
  }
}

async function measureThroughput(
  what: string,
  path: string,
  bare: URL,
  routed: URL,
  baselines: readonly BaselineProxy[],
): Promise<void> {
  const perSecond = async (url: URL) => {
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    let left = TOGETHER;
    const at = performance.now();
    const lane = async () => {
      while (left-- > 0) await ask(url, agent);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    agent.destroy();
    return TOGETHER / ((performance.now() - at) / 1_000);
  };
  const measured = [
    { name: 'bare', url: bare, rates: [] as number[] },
    ...baselines.map(({ name, url }) => ({ name, url, rates: [] as number[] })),
    { name: 'routed', url: routed, rates: [] as number[] },
  ];
  for (let round = 0; round < ROUNDS; round++)
    for (const { url, rates } of measured) rates.push(await perSecond(new URL(path, url)));
  const ofBare = median(measured[0]!.rates);
  const said = measured.map(({ name, rates }, i) => {
    const rate = median(rates);
    return i === 0 ? `${name} ${rate.toFixed(0)} requests/s` : `${name} ${(rate / ofBare).toFixed(2)} times`;
  });
  console.log(`throughput, ${what}, ${AT_ONCE} at once: ${said.join(', ')}`);
}

/** Linux only. */
async function measureMemory(bare: ChildProcess, veren: Veren, versions: number): Promise<void> {
  if (process.platform !== 'linux') return console.log('memory: only on Linux');
  const own = await servicesOf(veren.pid);
  const total = (await Promise.all(own.map(residentMb))).reduce((sum, mb) => sum + mb, 0);
  const baseline = await residentMb(bare.pid!);
  console.log(
    `memory: bare ${baseline.toFixed(0)} MB, a service that runs ${(total / versions).toFixed(0)} MB ` +
      `(${(total / versions / baseline).toFixed(2)} times, ${own.length} processes of ${versions} versions), one that is idle: no process`,
  );
}

/** Processes of services below the platform's, at any depth. */
async function servicesOf(root: number): Promise<number[]> {
  const parents = new Map<number, number>();
  const servers = new Set<number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('server.js')) servers.add(Number(name));
  }
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (parents.get(pid) === root || isBelow(parents.get(pid)));
  return [...servers].filter(isBelow);
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024;
}

async function releaseUnderLoad(veren: Veren, routed: URL, ids: readonly string[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const url = new URL('/page', routed);
  const isWhole = (body: string) =>
    body.length === 100_000 && /^v\d /.test(body) && body === body.slice(0, 3).repeat(33_334).slice(0, 100_000);
  const failed = new Map<string, number>();
  const count = (why: string) => void failed.set(why, (failed.get(why) ?? 0) + 1);
  const answers: Promise<void>[] = [];
  let again = 0;
  const seen = new Set<string>();
  const began = performance.now();
  const fire = () => {
    // Open loop: what is due is sent, however slow the answers are.
    const due = Math.floor(((performance.now() - began) / 1_000) * PER_SECOND);
    while (answers.length < due)
      answers.push(
        ask(url, agent, () => {
          again++;
          return ask(url, false);
        }).then(
          (body) => (isWhole(body) ? void seen.add(body.slice(0, 2)) : count('not whole')),
          (error: Error) => count(error.message),
        ),
      );
  };
  const timer = setInterval(fire, 5);
  let released = 0;
  for (let i = 0; i < RELEASES; i++) {
    const { status } = await fetch(`${veren.url}/deployments/${ids[i % ids.length]}/promote`, {
      method: 'POST',
      headers: { authorization: `Bearer ${veren.token}` },
    });
    if (status === 202) released++;
    await new Promise((r) => setTimeout(r, BETWEEN_RELEASES_MS));
  }
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1_000;
  await Promise.all(answers);
  agent.destroy();
  const faults = [...failed].map(([why, times]) => `${times} × ${why}`).join(', ') || '0 failed';
  console.log(
    `${released} releases under ${(answers.length / seconds).toFixed(0)} requests/s: ${answers.length} answers of ` +
      `${seen.size} versions, ${faults}, ${again} sent again on a connection that had just been closed as idle`,
  );
}

async function measureWake(folder: string, addresses: readonly URL[]): Promise<void> {
  const [bare, woken]: [number[], number[]] = [[], []];
  for (const address of addresses) {
    const { process: child, ms } = await startBare(folder, serverOf('bare'));
    child.kill('SIGKILL');
    bare.push(ms);
    const at = performance.now();
    await ask(address, false);
    woken.push(performance.now() - at);
  }
  const [b, w] = [median(bare), median(woken)];
  console.log(
    `start from cold: bare ${b.toFixed(0)} ms, woken by a request ${w.toFixed(0)} ms, ${(w / b).toFixed(2)} times`,
  );
}

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { openHandover } from '../../builder-images/shared/open-handover.ts';
import { SECRET_ENV } from '../../contract/builder-env.ts';
import { ERRORS } from '../../contract/errors.ts';
import { HANDOVER_SECONDS, HandoverSchema } from '../../contract/handover.ts';
import { HANDOVER_PREFIX } from '../../contract/names.ts';
import { handoverWriter, type WriteHandover } from '../../lambdas/build-worker/services/handover.ts';
import { urlSigner } from '../../lambdas/shared/adapters/aws/urlSigner.ts';
import { useWorld } from './bundle.ts';
import { BUCKET, deploymentId, repository, type Task, type World } from './harness.ts';

const worldOf = useWorld();
let world: World;
let write: WriteHandover;
beforeAll(async () => {
  world = worldOf();
  const config = { region: 'ap-south-1', endpoint: world.s3Url, forcePathStyle: true };
  const credentials = await world.s3.config.credentials();
  write = handoverWriter({ s3: world.s3, signer: urlSigner({ ...config, credentials }), bucket: BUCKET });
});

const of = (id = deploymentId()) => ({ projectId: 'site', deploymentId: id, target: 'frontend' as const });
const REAL_TIMERS = ['nextTick', 'setImmediate', 'setTimeout', 'setInterval', 'queueMicrotask'] as const;
const NEVER_AGAIN: number[] = [];
const open = (url: string) => openHandover({ HANDOVER_URL: url, PATH: '/bin' }, NEVER_AGAIN);
const keyOf = (url: string) => decodeURIComponent(new URL(url).pathname).slice(`/${BUCKET}/`.length);

describe('a hand-over', () => {
  it('is read once: claimed, removed, and its URL handed on to nobody', async () => {
    const { url } = await write(of(), { SECRET: 's', PATH: '/usr/bin' });
    const { raw, claimed } = await open(url);
    expect(raw).toEqual({ SECRET: 's', PATH: '/usr/bin' });
    await claimed;
    await expect(open(url)).rejects.toMatchObject({ code: 'HANDOVER_TAKEN' });
  });

  it('read by two at once: one of them learns that it was not alone', async () => {
    const { url } = await write(of(), { SECRET: 's' });
    const both = await Promise.all([open(url), open(url)]);
    const ends = await Promise.allSettled(both.map(({ claimed }) => claimed));
    expect(ends.map((end) => end.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find((end) => end.status === 'rejected')).toMatchObject({ reason: { code: 'HANDOVER_TAKEN' } });
  });

  it('is refused in a way that another attempt cures: expired, cut, unreachable', async () => {
    const { url } = await write(of(), { SECRET: 's' });
    const unreadable = (reason: string) => ({ code: 'HANDOVER_UNREADABLE', details: { reason } });
    const old = new Date(Date.now() - (HANDOVER_SECONDS + 1) * 1_000);
    const expired = await signedAt(old);
    await expect(open(expired.url)).rejects.toMatchObject(unreadable('it has expired'));
    await world.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: keyOf(url), Body: '{"v":1' }));
    await expect(open(url)).rejects.toMatchObject(unreadable('it is not a hand-over'));
    await expect(open('http://127.0.0.1:1/x')).rejects.toMatchObject(unreadable('ECONNREFUSED'));
  });

  /** Signs as if it were then; its object is of no interest. */
  async function signedAt(then: Date) {
    jest.useFakeTimers({ now: then, doNotFake: [...REAL_TIMERS] });
    try {
      const signer = urlSigner({
        region: 'ap-south-1',
        endpoint: world.s3Url,
        forcePathStyle: true,
        credentials: world.s3.config.credentials,
      });
      const s3 = { send: async () => ({}) } as unknown as S3Client;
      return await handoverWriter({ s3, signer, bucket: BUCKET })(of(), {});
    } finally {
      jest.useRealTimers();
    }
  }

  it('has URLs that are good for one thing each', async () => {
    const { url } = await write(of(), { SECRET: 's' });
    const text = await (await fetch(url)).text();
    const { claim, remove } = HandoverSchema.parse(JSON.parse(text));
    const status = async (to: string, init: RequestInit) => (await fetch(to, init)).status;
    // The condition cannot be left out, the expiry not be put off, the object not be another, the method not either.
    expect(await status(claim.url, { method: 'PUT' })).toBe(403);
    expect(await status(claim.url, { method: 'PUT', headers: { 'if-none-match': '"x"' } })).toBe(403);
    expect(await status(url, { method: 'PUT', body: 'mine' })).toBe(403);
    expect(await status(remove.url, { method: 'GET' })).toBe(403);
    expect(await status(url.replace('X-Amz-Expires=900', 'X-Amz-Expires=9000'), {})).toBe(403);
    expect(await status(url.replace('frontend-', 'backend-'), {})).toBe(403);
    expect(await status(`${url}&X-Amz-Expires=9`, {})).toBe(400);
    expect(await status(`${url}&versionId=1`, {})).toBe(403);
    expect(await (await fetch(url)).text()).toBe(text);
  });

  it('is out of reach of the credentials that are in it, and of every other build’s', async () => {
    const id = deploymentId();
    const { url } = await write(of(id), { SECRET: 's' });
    const env = world.environment({ projectId: 'site', deploymentId: id, url: '', commit: '' });
    const build = new S3Client({
      region: 'ap-south-1',
      endpoint: world.s3Url,
      forcePathStyle: true,
      credentials: {
        accessKeyId: env.AWS_ACCESS_KEY_ID!,
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY!,
        sessionToken: env.AWS_SESSION_TOKEN!,
      },
    });
    const Key = keyOf(url);
    expect(Key.startsWith(HANDOVER_PREFIX)).toBe(true);
    await expect(build.send(new GetObjectCommand({ Bucket: BUCKET, Key }))).rejects.toThrow('Access Denied');
    await expect(build.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'mine' }))).rejects.toThrow(
      'Access Denied',
    );
    build.destroy();
  });
});

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

describe('a builder that is started as RunTask starts it', () => {
  const tasks: Task[] = [];
  const files = { 'index.html': 'x', 'build.sh': 'echo "variable: $GREETING"; env > page.txt' };
  /** @param look Called twice a second once the builder has its environment and a work folder. */
  async function start(
    meet: (url: string) => Promise<unknown> = async () => undefined,
    variables: Record<string, string> = {},
    look?: () => void,
  ) {
    const id = deploymentId();
    const { url, commit } = repository(join(world.dir, `repo-${id}`), files);
    const whole: Record<string, string> = {
      ...world.environment({ projectId: 'site', deploymentId: id, url, commit }),
      BUILD_ENV: JSON.stringify({ GREETING: 'hi' }),
      BUILDCOMMAND: 'sh build.sh',
      EVENT_SIGNING_KEY: randomBytes(32).toString('hex'),
      ...variables,
    };
    const secret = new Set<string>(SECRET_ENV);
    const secrets = Object.fromEntries(Object.entries(whole).filter(([name]) => secret.has(name)));
    const shown = Object.fromEntries(Object.entries(whole).filter(([name]) => !secret.has(name)));
    const handover = await write(of(id), secrets);
    await meet(handover.url);
    tasks.push(world.task({ ...shown, HANDOVER_URL: handover.url }));
    const looking = setInterval(() => namesIn(join(world.dir, 'work')).length > 0 && look?.(), 500);
    const { code, output } = await tasks.at(-1)!.ended.finally(() => clearInterval(looking));
    return { id, code, output, url: handover.url, ...world.told(id) };
  }

  it('can be stopped while the bucket does not answer the claim: it says so, and leaves no folder', async () => {
    const asked: string[] = [];
    const silent = createServer((request) => void asked.push(String(request.method))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const port = (silent.address() as AddressInfo).port;
    try {
      const ended = start(async (url) => {
        const told = HandoverSchema.parse(await (await fetch(url)).json());
        const Body = JSON.stringify({ ...told, claim: { ...told.claim, url: `http://127.0.0.1:${port}/claim` } });
        await world.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: keyOf(url), Body }));
      });
      while (asked.length === 0) await new Promise((done) => setTimeout(done, 20));
      await new Promise((done) => setTimeout(done, 1_000)); // the rest is loaded
      const at = performance.now();
      tasks.at(-1)?.child.kill('SIGTERM');
      const { code, last, log } = await ended;
      expect([code, last]).toEqual([ERRORS.BUILD_STOPPED.exitCode, expect.objectContaining({ type: 'build.failed' })]);
      expect(performance.now() - at).toBeLessThan(15_000);
      expect(log).not.toContain('sh build.sh');
      expect(readdirSync(join(world.dir, 'work'))).toEqual([]);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  }, 60_000);

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux(
    'leaves no secret in the environment or the arguments of any process, while it builds',
    async () => {
      const holders: string[] = [];
      const secrets: string[] = [];
      let looks = 0;
      const { code, log } = await start(
        async (url) => {
          const { variables } = HandoverSchema.parse(await (await fetch(url)).json());
          secrets.push(url, ...Object.values(variables).filter((value) => value.length > 20));
        },
        { BUILDCOMMAND: 'sh build.sh; sleep 2' },
        () => {
          looks++;
          for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
            for (const name of ['environ', 'cmdline'])
              if (secrets.some((secret) => textOf(`/proc/${pid}/${name}`).includes(secret)))
                holders.push(`${name} of ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
        },
      );
      expect([code, log.includes('variable: hi'), secrets.length, looks > 0]).toEqual([0, true, 4, true]);
      expect(holders).toEqual([]);
    },
    60_000,
  );

  it('has the documented environment, and hands the URL to no command', async () => {
    const { code, log, last, url } = await start();
    expect({ code, last: last?.type }).toEqual({ code: 0, last: 'build.succeeded' });
    expect(log).toContain('variable: hi');
    const page = await world.page('site', 'page.txt');
    expect(page.text).toContain('GREETING=hi');
    expect(page.text).not.toMatch(/HANDOVER|__handover/);
    await expect(open(url)).rejects.toMatchObject({ code: 'HANDOVER_TAKEN' });
  });

  it('ends before any code of the repository runs, where somebody else was faster', async () => {
    // Reads and claims, but leaves the object there: the builder reads it and then learns of it.
    const { code, log, last } = await start(async (url) => {
      const { claim } = HandoverSchema.parse(await (await fetch(url)).json());
      expect((await fetch(claim.url, { method: 'PUT', headers: claim.headers })).status).toBe(200);
    });
    expect(code).toBe(ERRORS.HANDOVER_TAKEN.exitCode);
    expect(last).toMatchObject({ type: 'build.failed', error: { code: 'HANDOVER_TAKEN' } });
    expect(log).not.toContain('variable');
  });

  it('ends with its own exit code where it was removed', async () => {
    const { code, output } = await start(async (url) => (await open(url)).claimed);
    expect(code).toBe(ERRORS.HANDOVER_TAKEN.exitCode);
    expect(output).toContain('Somebody else has read');
  });
});

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { giveVariables } from '../../../local/services/containerVariables.ts';
import { portsInNetworkOf } from '../../../local/services/listening.ts';
import { removeFolders } from '../../support/folders.ts';
import { openServiceBench } from '../../support/services.ts';

afterAll(removeFolders);

test('a container’s variables are in a file that only its owner reads; only values with several lines go another way', async () => {
  const key = '-----BEGIN KEY-----\nsecret\n-----END KEY-----';
  const given = await giveVariables({ NAME: '  a=b # c', EMPTY: '', KEY: key, PATH: '/x' }, new Set(['PATH', 'HOME']));
  const [flag, file = '', ...rest] = given.args;
  expect([flag, ...rest]).toEqual(['--env-file', '--env', 'KEY']);
  expect(given.passed).toEqual({ KEY: key });
  expect(readFileSync(file, 'utf8')).toBe('NAME=  a=b # c\nEMPTY=\nPATH=/x\n');
  expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
  await given.remove();
  expect(existsSync(dirname(file))).toBe(false);
});

test.each(['HOME', 'LD_PRELOAD', 'DOCKER_HOST', 'PATH'])(
  '%s with several lines would reach the engine’s program, and is refused',
  async (name) => {
    await expect(giveVariables({ [name]: 'a\nb' }, new Set(['HOME']))).rejects.toMatchObject({
      failure: { code: 'SERVICE_VARIABLE_REFUSED', message: expect.stringContaining(name) },
    });
  },
);

test('an image where no engine is used is not run, with a sentence, and nothing of it is in the way of its removal', async () => {
  const bench = await openServiceBench({ hostEnv: { VEREN_CONTAINER_ENGINE: 'none' } });
  const artifact = { kind: 'image', uri: 'localhost/my-backend:shop-d1', digest: 'sha256:0', bytes: 1 } as const;
  const version = bench.version('', { artifact });
  const reason = expect.stringContaining('no container engine is used');
  expect(await bench.services.start(version)).toEqual({ state: 'not-run', reason });
  expect(await bench.services.list('shop')).toEqual([expect.objectContaining({ state: 'not-run', reason })]);
  expect((await bench.ask(version)).status).toBe(404);
  await bench.services.remove('shop');
  expect(await bench.services.list('shop')).toEqual([]);
  await bench.services.close();
});

test('ports of a network, and which of them somebody outside reaches', async () => {
  if (process.platform !== 'linux') return;
  const listen = async (host: string) => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, host, done));
    return { server, port: (server.address() as { port: number }).port };
  };
  const [inside, six, all] = await Promise.all(['127.0.0.1', '::1', '0.0.0.0'].map(listen));
  const ports = await portsInNetworkOf(process.pid);
  expect([inside, six, all].map((one) => ports?.get(one!.port)?.outside)).toEqual([false, false, true]);
  for (const one of [inside, six, all]) one!.server.close();
});

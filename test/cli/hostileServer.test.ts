import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { useCli } from './cliProcess.ts';

jest.setTimeout(60_000);

const cli = useCli();
const TOKEN = 'veren_secret-token-of-the-user';
let server: Server;
let elsewhere: Server;
let answer: (response: ServerResponse, path: string) => void;
let asked: { readonly path: string; readonly authorization: string | undefined }[] = [];
let strayed: string[] = [];

const listen = async (made: Server) => {
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return made;
};
const addressOf = (made: Server) => `http://127.0.0.1:${(made.address() as AddressInfo).port}`;

beforeAll(async () => {
  server = await listen(
    createServer((request, response) => {
      asked.push({ path: request.url ?? '', authorization: request.headers.authorization });
      request.resume().on('end', () => answer(response, request.url ?? ''));
    }),
  );
  elsewhere = await listen(
    createServer((request, response) => {
      strayed.push(request.headers.authorization ?? '');
      response.end('{}');
    }),
  );
});
beforeEach(() => {
  asked = [];
  strayed = [];
});
afterAll(() => {
  for (const made of [server, elsewhere]) {
    made.close();
    made.closeAllConnections();
  }
});

const run = (args: string[], options: Parameters<typeof cli.run>[1] = {}) =>
  cli.run(args, { ...options, env: { VEREN_URL: addressOf(server), VEREN_TOKEN: TOKEN, ...options.env } });
const json = (response: ServerResponse, status: number, body: unknown, type = 'application/json') =>
  response.writeHead(status, { 'Content-Type': type }).end(JSON.stringify(body));

test('nobody there: 4, with the address and the next step', async () => {
  const { code, stdout, stderr } = await run(['ls', '--all'], { env: { VEREN_URL: 'http://127.0.0.1:9' } });
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toContain('http://127.0.0.1:9');
  expect(stderr).toContain('Check that it runs');
});

test.each([
  ['no JSON', '<html>a proxy</html>'],
  ['JSON of another form', '{"items": [{"deploymentId": 7}]}'],
  ['JSON in a thousand layers', '['.repeat(100_000)],
])('an answer that is %s: 4', async (_name, body) => {
  answer = (response) => response.end(body);
  expect(await run(['ls', '--all'])).toMatchObject({ code: 4, stdout: '' });
});

test('an answer without an end is left, and asked for once', async () => {
  answer = (response) => {
    const more = () => {
      while (response.write('x'.repeat(1 << 20)));
      response.once('drain', more);
    };
    more();
  };
  const { code, stderr } = await run(['ls', '--all']);
  expect(code).toBe(4);
  expect(stderr).toContain('longer than 16 MiB');
  expect(asked).toHaveLength(1);
});

test('an event of a log without an end is left', async () => {
  answer = (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const more = () => {
      while (response.write('data: '.padEnd(1 << 20, 'x')));
      response.once('drain', more);
    };
    more();
  };
  const { code, stderr } = await run(['logs', '-f', 'one'], { env: { NODE_OPTIONS: '--max-old-space-size=256' } });
  expect(code).toBe(4);
  expect(stderr).toContain('too long');
});

test('redirects take the token nowhere', async () => {
  answer = (response) => response.writeHead(302, { Location: `${addressOf(elsewhere)}/deployments` }).end();
  expect((await run(['ls', '--all'])).code).toBe(4);
  expect((await run(['deploy', 'https://git.example/me/app', '--project', 'app'])).code).toBe(4);
  expect(asked.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
  expect(strayed).toEqual([]);
});

test('pages that name each other for ever have an end', async () => {
  const project = (at: number) => ({
    ...{ projectId: `p${at}`, createdAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:00Z' },
    ...{ settings: {}, release: null, pinned: null },
  });
  let at = 0;
  answer = (response, path) =>
    path.startsWith('/projects')
      ? json(response, 200, { items: Array.from({ length: 5_000 }, () => project(at++)), cursor: `${at}` })
      : json(response, 200, { items: [], cursor: 'more' });
  const { code } = await run(['projects']);
  const asks = asked.map(({ path }) => path.split('?')[0]);
  expect({ code, asks }).toEqual({ code: 0, asks: ['/projects', '/projects', '/deployments'] });
});

test('what a server says cannot steer the terminal, and does not show the token', async () => {
  const detail = `No.\u001b]0;owned\u0007\u001b[2J Your token is ${TOKEN}.\r\nfake line`;
  answer = (response) =>
    json(
      response,
      401,
      { type: 'x', title: 'x', status: 401, detail, instance: 'x', code: 'UNAUTHORIZED' },
      'application/problem+json',
    );
  for (const args of [
    ['ls', '--all'],
    ['ls', '--all', '--json'],
    ['login', addressOf(server)],
  ]) {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).not.toMatch(/[\u0007\u001b\r]/);
    expect(stderr).not.toContain(TOKEN);
  }
});

test('names cannot steer it, either', async () => {
  const hostile = 'a\u001b[31m\u001b]8;;http://evil.example\u0007\nb\u202e';
  answer = (response) => json(response, 200, { owner: hostile, name: hostile, scope: 'read' });
  const { code, stdout } = await run(['whoami'], { env: { FORCE_COLOR: '1' } });
  expect(code).toBe(0);
  expect(stdout).not.toMatch(/\u001b\]|\u202e/);
  expect(stdout.trim().split('\n')).toHaveLength(6);
});

test('nor can JSON, which stays what it was, or a cursor', async () => {
  const name = 'a\u009b2Jb\u0085\u202e\u2066c';
  answer = (response) => json(response, 200, { owner: 'ada', name, scope: 'read' });
  const { stdout } = await run(['whoami', '--json']);
  expect(stdout).not.toMatch(/[\u007f-\u009f\u202e\u2066]/);
  expect(JSON.parse(stdout)).toMatchObject({ name });

  const entry = { owner: 'ada', at: '2026-01-01T00:00:00.000Z', by: name, action: name, subject: name, detail: name };
  answer = (response) => json(response, 200, { items: [entry], cursor: '\u001b]0;owned\u0007\u009b2Jnext' });
  const audit = await run(['audit']);
  expect(audit).toMatchObject({ code: 0, stderr: expect.stringContaining('next') });
  expect(audit.stdout + audit.stderr).not.toMatch(/[\u0007\u001b\u007f-\u009f\u202e\u2066]/);
});

test.each([
  [400, 'INVALID_REQUEST', 2],
  [401, 'UNAUTHORIZED', 3],
  [403, 'FORBIDDEN', 3],
  [404, 'NOT_FOUND', 2],
  [409, 'NOT_RELEASABLE', 2],
  [429, 'RATE_LIMITED', 4],
  [500, 'INTERNAL', 4],
  [507, 'DISK_FULL', 4],
])('HTTP %i %s exits %i', async (status, code, exitCode) => {
  answer = (response) =>
    json(response, status, { type: 'x', title: 'x', status, detail: 'The sentence.', instance: 'x', code });
  const result = await run(['promote', 'one', '--json']);
  expect(result.code).toBe(exitCode);
  expect(JSON.parse(result.stderr).error).toMatchObject({ code, status, message: 'The sentence.', exitCode });
});

test('the id is said within a second of the answer, before anything else is asked', async () => {
  let answeredAt = 0;
  let saidAt = 0;
  const links = Object.fromEntries(
    ['self', 'logs', 'cancel', 'redeploy', 'promote'].map((name) => [name, 'http://127.0.0.1/x']),
  );
  answer = (response, path) => {
    if (path !== '/deployments') return; // The log's answer never comes.
    answeredAt = Date.now();
    json(response, 202, { deploymentId: '01abc', projectId: 'app', status: 'queued', links });
  };
  const { code, stdout } = await run(['deploy', 'https://git.example/me/app', '--project', 'app'], {
    onStderr: (text, child) => {
      if (saidAt || !text.includes('Deployment 01abc of app')) return;
      saidAt = Date.now();
      setTimeout(() => child.kill('SIGINT'), 200);
    },
  });
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(saidAt - answeredAt).toBeLessThan(1_000);
});

test('http across a network needs a word of its own, and a token is never taken as an argument', async () => {
  const refused = await run(['login', 'http://veren.example']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('without encryption');
  expect((await run(['login', addressOf(server), TOKEN])).code).toBe(2);
  expect((await run(['login', `http://user:${TOKEN}@127.0.0.1`])).stderr).not.toContain(TOKEN);
});

import { VerenError } from '../../../contract/errors.ts';
import type { Caller } from '../../../contract/people.ts';
import { createStreamer } from '../../../lambdas/log-streamer/streamer.ts';
import { createAnalyzer } from '../../../lambdas/repo-analyzer/analyzer.ts';
import { callerNamed } from '../../support/callers.ts';
import { silentLog } from '../../support/log.ts';

const callers: Record<string, Caller> = {
  a: callerNamed('ada'),
  b: callerNamed('bob'),
  read: callerNamed('ada', { scope: 'read', projects: ['shop'] }),
  other: callerNamed('ada', { projects: ['other'] }),
};
const authenticate = async (token: string) => callers[token] ?? null;
const header = (token: string) => ({ Authorization: `Bearer ${token}` });

test('a stream of a build that goes on closes by itself, without an end: the client resumes it', async () => {
  const running = {
    deploymentId: 'd',
    projectId: 'shop',
    owner: 'ada',
    status: 'building',
    updatedAt: '2026-01-01T00:00:00Z',
    builds: {},
  };
  const stopped: boolean[] = [];
  const app = createStreamer({
    authenticate,
    log: silentLog,
    clock: { now: Date.now },
    streamMs: 300,
    store: { get: async () => ({ record: running, request: null, facts: { attempts: {} } }) } as never,
    logs: {
      async *follow(_: string, __: number, signal: AbortSignal) {
        yield [{ seq: 7, at: running.updatedAt, target: 'frontend', stream: 'stdout', line: 'l7' }];
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        stopped.push(true);
      },
    } as never,
    archive: {} as never,
  });
  const answer = await app.request('/deployments/d/logs', { headers: header('a') });
  const text = await answer.text();
  expect(text).toContain('id: 7\n');
  expect(text).not.toContain('event: end');
  // What reads Redis is told to stop too.
  expect(stopped).toEqual([true]);
});

describe('log-streamer', () => {
  const record = {
    deploymentId: 'd',
    projectId: 'shop',
    owner: 'ada',
    status: 'succeeded',
    updatedAt: '2026-01-01T00:00:00Z',
    builds: {},
  };
  const lines = [1, 2, 3].map((seq) => ({
    seq,
    at: record.updatedAt,
    target: 'frontend',
    stream: 'stdout',
    line: `l${seq}`,
  }));
  const asked: number[] = [];
  const app = createStreamer({
    authenticate,
    log: silentLog,
    clock: { now: Date.now },
    store: {
      get: async (id: string) => (id === 'd' ? { record, request: null, facts: { attempts: {} } } : null),
    } as never,
    logs: {
      async *follow(_: string, after: number) {
        asked.push(after);
        yield lines.filter((l) => l.seq > after);
      },
      read: async (_: string, after: number) => lines.filter((l) => l.seq > after),
      count: async () => lines.length,
    } as never,
    archive: { readLog: async () => null } as never,
  });

  test('no token, or another owner’s deployment: nothing is told', async () => {
    expect((await app.request('/deployments/d/logs')).status).toBe(401);
    expect((await app.request('/deployments/d/logs', { headers: header('b') })).status).toBe(404);
    expect((await app.request('/deployments/none/logs', { headers: header('a') })).status).toBe(404);
  });

  test('a token that is limited to other projects follows nothing here; one to read suffices', async () => {
    expect((await app.request('/deployments/d/logs', { headers: header('other') })).status).toBe(404);
    const answer = await app.request('/deployments/d/logs', { headers: header('read') });
    expect(answer.status).toBe(200);
    await answer.text();
  });

  test('resumes after the last line that the client has seen, and ends with the status', async () => {
    const answer = await app.request('/deployments/d/logs?after=1', {
      headers: { ...header('a'), 'Last-Event-ID': '2' },
    });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const text = await answer.text();
    expect(asked.at(-1)).toBe(2);
    expect([...text.matchAll(/^id: (\d+)/gm)].map((m) => m[1])).toEqual(['3']);
    expect(text).toContain('event: end\ndata: {"status":"succeeded"}');
  });
});

describe('repo-analyzer', () => {
  const app = createAnalyzer({
    authenticate,
    log: silentLog,
    analyze: async ({ gitUrl }) => {
      if (gitUrl.includes('none')) throw new VerenError('REPO_NOT_FOUND', { url: gitUrl });
      return { commit: 'c', candidates: [], warnings: [] };
    },
  });
  const post = (body: unknown, headers: Record<string, string> = header('a')) =>
    app.request('/analyze', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { ...headers, 'Content-Type': 'application/json' },
    });

  test('answers with the plan', async () => {
    const answer = await post({ gitUrl: 'https://x.example/y.git' });
    expect([answer.status, await answer.json()]).toEqual([200, { commit: 'c', candidates: [], warnings: [] }]);
  });

  test.each<[string, unknown, Record<string, string>, number, string]>([
    ['no token', { gitUrl: 'https://x.example/y.git' }, {}, 401, 'UNAUTHORIZED'],
    ['an unknown field', { gitUrl: 'https://x.example/y.git', branch: 'x' }, header('a'), 400, 'INVALID_REQUEST'],
    ['no such repository', { gitUrl: 'https://x.example/none.git' }, header('a'), 422, 'REPO_NOT_FOUND'],
    ['a token to read', { gitUrl: 'https://x.example/y.git' }, header('read'), 403, 'FORBIDDEN'],
    ['a large body', { gitUrl: 'x'.repeat(20_000) }, header('a'), 413, 'BODY_TOO_LARGE'],
  ])('%s is a problem as the API’s', async (_, body, headers, status, code) => {
    const answer = await post(body, headers);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
  });
});

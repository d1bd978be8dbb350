import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { VerenClient } from '../../../cli/client/VerenClient.ts';
import { type LogLine, MAX_LOG_LINE } from '../../../contract/events.ts';
import type { LogEntry } from '../../../lambdas/shared/ports.ts';
import { requested } from '../../ports/deployments.ts';
import { apiApp, apiFixture, TOKENS } from '../../support/api.ts';

const ID = 'd1';
/** Lambda's answer holds 6 MB of JSON, in which the body is text or, a third longer, base64. */
const LAMBDA_ANSWER = 6 * 1024 * 1024;

const entry = (n: number, line = `line ${n}`): LogEntry => ({
  at: new Date(0).toISOString(),
  target: 'frontend',
  stream: 'stdout',
  line,
  attempt: 1,
  n,
});
const entries = (count: number, line?: string) => Array.from({ length: count }, (_, n) => entry(n, line));

async function fixture(over: Parameters<typeof apiFixture>[0] = {}) {
  const api = await apiFixture(over);
  await api.ports.store.create({
    requested: requested(ID, { owner: 'ada' }),
    request: { projectId: 'shop', gitUrl: 'https://h/x' },
  });
  /** All pages from the first one on; each within Lambda's limit. */
  const pages = async (query = '') => {
    const found: LogLine[][] = [];
    let path: string | null = `/deployments/${ID}/logs${query}`;
    while (path !== null) {
      const answer: Awaited<ReturnType<typeof api.call>> = await api.call('GET', path);
      expect(answer.status).toBe(200);
      const text = typeof answer.body === 'string' ? answer.body : `${JSON.stringify(answer.body)}\n`;
      expect(Buffer.byteLength(text)).toBeLessThan(4_000_000);
      expect(JSON.stringify({ body: text }).length).toBeLessThan(LAMBDA_ANSWER);
      expect(Buffer.byteLength(JSON.stringify({ body: Buffer.from(text).toString('base64') }))).toBeLessThan(
        LAMBDA_ANSWER,
      );
      found.push(
        text
          .split('\n')
          .filter(Boolean)
          .map((l) => JSON.parse(l)),
      );
      path = /<http:\/\/api\.example([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1] ?? null;
    }
    return found;
  };
  return { api, pages };
}

describe('the log in pages', () => {
  it('100,000 lines are read by the client, each once and in order', async () => {
    const { app, ports } = await apiApp();
    await ports.store.create({
      requested: requested(ID, { owner: 'ada' }),
      request: { projectId: 'shop', gitUrl: 'https://h/x' },
    });
    await ports.logs.append(ID, entries(100_000));
    const sizes: number[] = [];
    const server = createServer(
      getRequestListener(async (request) => {
        const answer = await app.fetch(request);
        sizes.push((await answer.clone().arrayBuffer()).byteLength);
        return answer;
      }),
    );
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    let next = 0;
    for await (const { line } of new VerenClient({ baseUrl, token: TOKENS.ada }).readLogs(ID)) {
      if (line !== `line ${next}`) throw new Error(`${line} instead of line ${next}`);
      next++;
    }
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    expect(next).toBe(100_000);
    expect(sizes.length).toBeGreaterThanOrEqual(10);
    expect(Math.max(...sizes)).toBeLessThan(4_000_000);
  });

  it.each([
    ['ASCII', 'x'],
    ['three bytes', '語'],
    ['all escaped', '\u0001'],
    ['quotes', '"'],
    ['backslashes', '\\'],
  ])('the longest lines fit Lambda as well: %s', async (_, char) => {
    const { api, pages } = await fixture();
    await api.ports.logs.append(ID, entries(600, char.repeat(MAX_LOG_LINE)));
    const found = await pages();
    expect(found.flat().map((l) => l.seq)).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
    expect(found.length).toBeGreaterThan(1);
  });

  it('goes by `limit` and `cursor`, `after` being the same; the last page names no other', async () => {
    const { api, pages } = await fixture();
    await api.ports.logs.append(ID, entries(7));
    expect((await pages('?limit=3')).map((p) => p.map((l) => l.seq))).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect((await pages('?limit=7')).map((p) => p.length)).toEqual([7]);
    expect((await pages('?cursor=5')).map((p) => p.map((l) => l.seq))).toEqual([[6, 7]]);
    expect((await pages('?after=5&limit=1')).map((p) => p.map((l) => l.seq))).toEqual([[6], [7]]);
    expect(await pages('?cursor=99')).toEqual([[]]);
    for (const wrong of ['limit=0', 'limit=10001', 'limit=x', 'cursor=-1', 'cursor=', 'page=1', 'limit=1&limit=2'])
      expect(await api.call('GET', `/deployments/${ID}/logs?${wrong}`)).toMatchObject({ status: 400 });
  });

  it('a log that grows while it is read has no gap', async () => {
    const { api } = await fixture();
    await api.ports.logs.append(ID, entries(3));
    const first = await api.call('GET', `/deployments/${ID}/logs?limit=2`);
    await api.ports.logs.append(ID, entries(6).slice(3));
    const cursor = /cursor=(\d+)/.exec(first.headers.get('link') ?? '')?.[1];
    const rest = await api.call('GET', `/deployments/${ID}/logs?cursor=${cursor}`);
    expect([...String(rest.body).matchAll(/"seq":(\d+)/g)].map((m) => Number(m[1]))).toEqual([3, 4, 5, 6]);
  });

  it('comes from the archive, page by page, where the hot log is gone', async () => {
    const lines = Array.from({ length: 25_000 }, (_, i) => ({ ...entry(i), seq: i + 1 }));
    const archived = lines.map(({ attempt, n, ...line }) => line);
    const asked: (number | undefined)[] = [];
    const { pages } = await fixture({
      archive: {
        writeRecord: async () => undefined,
        readRecord: async () => null,
        writeLog: async () => undefined,
        readLog: async (_, after, limit) => {
          asked.push(limit);
          return archived.filter((l) => l.seq > after).slice(0, limit);
        },
      },
    });
    const found = await pages();
    expect(found.map((p) => p.length)).toEqual([10_000, 10_000, 5_000]);
    expect(asked.every((limit) => limit === 10_001)).toBe(true);
  });
});

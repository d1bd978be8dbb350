import fc from 'fast-check';
import type { FollowedEvents } from '../../../cli/client/followEvents.ts';
import { type ApiServer, apiServer, finishedDeployment } from './apiServer.ts';

const LINES = ['plain', 'ümlaut ✓ 🚀', '', 'data: not an event', 'last'];
const NO_PAUSES = Array.from({ length: 20 }, () => 0);

async function all(events: AsyncIterable<FollowedEvents>): Promise<FollowedEvents[]> {
  const got: FollowedEvents[] = [];
  for await (const event of events) got.push(event);
  return got;
}
const linesOf = (events: readonly FollowedEvents[]) => events.flatMap((e) => (e.type === 'log' ? [e.line.line] : []));

let server: ApiServer;
beforeEach(async () => {
  server = await apiServer();
});
afterEach(() => server.close());

describe('following a log', () => {
  it('gives every line once and in order, wherever and however the connection breaks', async () => {
    const id = await finishedDeployment(server, LINES);
    const cut = fc.record({ after: fc.nat(2_500), how: fc.constantFrom('destroy' as const, 'end' as const) });
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { maxLength: 6 }), async (cuts) => {
        server.cuts.splice(0, Infinity, ...cuts);
        const events = await all(server.client.followLogs(id, { pausesMs: NO_PAUSES }));
        expect(linesOf(events)).toEqual(LINES);
        expect(events.at(-1)).toEqual({ type: 'end', status: 'succeeded' });
      }),
      { numRuns: 60 },
    );
  });

  it('begins after the line that is known', async () => {
    const id = await finishedDeployment(server, LINES);
    expect(linesOf(await all(server.client.followLogs(id, { after: 3 })))).toEqual(LINES.slice(3));
  });

  it('gives up, with the reason, when the pauses are used up without news', async () => {
    const id = await finishedDeployment(server, LINES);
    server.answer = (_, response) => response.writeHead(502).end('<html>Bad gateway</html>');
    const before = server.requests.length;
    await expect(all(server.client.followLogs(id, { pausesMs: [0, 0] }))).rejects.toThrow(
      `No answer from Veren at ${server.origin}: it answered with HTTP 502`,
    );
    expect(server.requests.length - before).toBe(3);
  });

  it('does not take a refusal for a broken connection', async () => {
    await expect(all(server.client.followLogs('none'))).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
    expect(server.requests).toHaveLength(1);
  });

  it('leaves a connection on which nothing comes', async () => {
    const id = await finishedDeployment(server, LINES);
    server.answer = (_, response) => {
      server.answer = null;
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': connected\n\n');
    };
    const events = await all(server.client.followLogs(id, { idleMs: 1_000, pausesMs: [0] }));
    expect(linesOf(events)).toEqual(LINES);
  });

  it('follows the redirect to the log stream, with the token', async () => {
    const other = await apiServer();
    try {
      const id = await finishedDeployment(other, LINES);
      server.answer = (request, response) =>
        response.writeHead(307, { Location: `${other.origin}${request.url}?after=0` }).end();
      expect(linesOf(await all(server.client.followLogs(id)))).toEqual(LINES);
    } finally {
      await other.close();
    }
  });

  it('ends quietly when it is stopped', async () => {
    const { deploymentId } = await server.client.createDeployment({ projectId: 'p', gitUrl: 'https://git.example/a' });
    server.answer = (_, response) => void response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(':\n');
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    expect(await all(server.client.followLogs(deploymentId, { signal: stop.signal }))).toEqual([]);
  });
});

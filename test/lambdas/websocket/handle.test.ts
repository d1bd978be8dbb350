import { ServerMessageSchema } from '../../../contract/websocket.ts';
import { authenticateByHash, hashToken } from '../../../lambdas/shared/http/auth.ts';
import { handleWebSocket } from '../../../lambdas/websocket/handle.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { callerNamed } from '../../support/callers.ts';
import { event } from '../../support/events.ts';

async function fixture() {
  const ports = await openMemoryPlatform({ clock: { now: Date.now } });
  const deps = {
    ...ports,
    authenticate: authenticateByHash(async () => ({ ada: [hashToken('a')], bob: [hashToken('b')] })),
  };
  for (const [deploymentId, owner, projectId] of [
    ['d1', 'ada', 'p1'],
    ['d2', 'bob', 'p2'],
  ] as const) {
    const requested = {
      ...event(0, { type: 'deployment.requested', owner, gitUrl: 'https://h/x', ref: null }, deploymentId),
      projectId,
    };
    await ports.store.create({ requested: requested as never, request: { projectId, gitUrl: 'https://h/x' } });
  }
  const received: ReturnType<typeof ServerMessageSchema.parse>[] = [];
  const connect = (id: string, how: object) =>
    handleWebSocket(deps, { requestContext: { routeKey: '$connect', connectionId: id }, ...how });
  ports.notifier.attach('c1', (m) => void received.push(ServerMessageSchema.parse(JSON.parse(m))));
  const say = (body: unknown, connectionId = 'c1') =>
    handleWebSocket(deps, {
      requestContext: { routeKey: 'subscribe', connectionId },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { ports, deps, received, connect, say };
}

describe('WebSocket', () => {
  it('lets in who has a token, in the header or the query', async () => {
    const { connect } = await fixture();
    expect(await connect('c1', { headers: { Authorization: 'Bearer a' } })).toEqual({ statusCode: 200 });
    expect(await connect('c2', { queryStringParameters: { token: 'a' } })).toEqual({ statusCode: 200 });
    for (const how of [{}, { headers: { Authorization: 'Basic a' } }, { queryStringParameters: { token: 'x' } }])
      expect(await connect('c3', how)).toEqual({ statusCode: 401 });
  });

  it('lets in who has a ticket, once, and refuses one that is no good whatever else is given', async () => {
    const { connect, ports } = await fixture();
    const { ticket } = await ports.tickets.issue(callerNamed('ada'));
    expect(await connect('c1', { queryStringParameters: { ticket } })).toEqual({ statusCode: 200 });
    expect(await ports.subscriptions.callerOf('c1')).toEqual(callerNamed('ada'));
    expect(await connect('c2', { queryStringParameters: { ticket } })).toEqual({ statusCode: 401 });
    const both = { queryStringParameters: { ticket: 'made-up', token: 'a' } };
    expect(await connect('c3', both)).toEqual({ statusCode: 401 });
    expect(await ports.subscriptions.callerOf('c3')).toBeNull();
  });

  it('gives a snapshot and subscribes, by deployment or project', async () => {
    const { ports, received, connect, say } = await fixture();
    await connect('c1', { headers: { authorization: 'Bearer a' } });
    await say({ action: 'subscribe', deploymentId: 'd1' });
    await say({ action: 'subscribe', projectId: 'p1' });
    expect(received).toMatchObject([
      { type: 'snapshot', deploymentId: 'd1', records: [{ deploymentId: 'd1' }] },
      { type: 'snapshot', projectId: 'p1', records: [{ deploymentId: 'd1' }] },
    ]);
    expect(await ports.subscriptions.subscribers(['deployment:d1'])).toEqual(['c1']);
    await handleWebSocket(
      { ...ports, authenticate: async () => null },
      { requestContext: { routeKey: '$disconnect', connectionId: 'c1' } },
    );
    expect(await ports.subscriptions.subscribers(['deployment:d1', 'project:p1'])).toEqual([]);
  });

  it("does not tell another owner's deployment from none, and subscribes to neither", async () => {
    const { ports, received, connect, say } = await fixture();
    await connect('c1', { headers: { authorization: 'Bearer a' } });
    for (const message of [
      { deploymentId: 'd2' },
      { deploymentId: 'none' },
      { projectId: 'p2' },
      { projectId: 'none' },
    ])
      await say({ action: 'subscribe', ...message });
    expect(received.map((m) => m.type === 'error' && m.code)).toEqual(Array(4).fill('NOT_FOUND'));
    expect(await ports.subscriptions.subscribers(['deployment:d2', 'project:p2', 'deployment:none'])).toEqual([]);
  });

  it.each(['', '{', '[]', '{"action":"publish"}', '{"action":"subscribe"}', '{"action":"subscribe","deploymentId":1}'])(
    'answers the malformed message %j with an error and lives on',
    async (body) => {
      const { received, connect, say } = await fixture();
      await connect('c1', { headers: { authorization: 'Bearer a' } });
      await say(body);
      await say({ action: 'subscribe', deploymentId: 'd1' });
      expect(received).toMatchObject([{ type: 'error', code: 'INVALID_REQUEST' }, { type: 'snapshot' }]);
    },
  );

  it('shows who is limited to projects those alone, by token as by ticket, whatever the scope', async () => {
    const { ports, deps, received, say } = await fixture();
    const caller = callerNamed('ada', { scope: 'read', projects: ['other'] });
    const { ticket } = await ports.tickets.issue(caller);
    const limited = { ...deps, authenticate: async () => caller };
    for (const how of [{ headers: { authorization: 'Bearer t' } }, { queryStringParameters: { ticket } }]) {
      await handleWebSocket(limited, { requestContext: { routeKey: '$connect', connectionId: 'c1' }, ...how });
      await say({ action: 'subscribe', deploymentId: 'd1' });
      await say({ action: 'subscribe', projectId: 'p1' });
    }
    expect(received.map((m) => m.type === 'error' && m.code)).toEqual(Array(4).fill('NOT_FOUND'));
    expect(await ports.subscriptions.subscribers(['deployment:d1', 'project:p1'])).toEqual([]);
  });

  it('tells a connection that never authenticated nothing', async () => {
    const { received, say } = await fixture();
    await say({ action: 'subscribe', deploymentId: 'd1' });
    expect(received).toMatchObject([{ type: 'error', code: 'UNAUTHORIZED' }]);
  });
});

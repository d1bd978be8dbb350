import type { LogRecord } from '../../../contract/log.ts';
import { jsonLog, withRequestId } from '../../../lambdas/shared/logger.ts';
import { textLog } from '../../../local/platform/textLog.ts';
import { apiApp } from '../../support/api.ts';

const lines: (LogRecord & { readonly error?: { message: string; stack: string } })[] = [];
const log = jsonLog('api', (line) => lines.push(JSON.parse(line)));
beforeEach(() => {
  lines.length = 0;
});

const request = { projectId: 'site', gitUrl: 'https://git.example/x.git' };
async function post(headers: Record<string, string>, over: Parameters<typeof apiApp>[0] = {}) {
  const { app, ports } = await apiApp({ log, ...over });
  const init = { Authorization: 'Bearer token-of-ada', 'Content-Type': 'application/json', ...headers };
  const response = await app.request('/deployments', { method: 'POST', headers: init, body: JSON.stringify(request) });
  return { response, body: (await response.json()) as Record<string, string>, ports };
}
const OWN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

test.each([
  [{ 'X-Request-Id': 'ticket-4711.a' }, 'ticket-4711.a'],
  [{ 'X-Request-Id': 'x'.repeat(64) }, 'x'.repeat(64)],
  [{ traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }, TRACE],
  [{ 'X-Request-Id': 'a b', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }, TRACE],
  [{}, OWN],
  [{ 'X-Request-Id': 'x'.repeat(65) }, OWN],
  [{ 'X-Request-Id': 'a"b' }, OWN],
  [{ 'X-Request-Id': '{a}' }, OWN],
  [{ traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` }, OWN],
  [{ traceparent: `ff-${TRACE}-00f067aa0ba902b7-01` }, OWN],
  [{ traceparent: `00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01` }, OWN],
] as [Record<string, string>, string | RegExp][])(
  '%j gives %s, in the answer, the log and the job',
  async (headers, wanted) => {
    const { response, body, ports } = await post(headers);
    expect(response.status).toBe(202);
    const id = response.headers.get('X-Request-Id') as string;
    expect(id).toMatch(wanted instanceof RegExp ? wanted : new RegExp(`^${wanted.replaceAll('.', '\\.')}$`));
    const { deploymentId = '' } = body;
    expect(lines).toContainEqual({
      level: 'INFO',
      message: 'A deployment was accepted',
      function: 'api',
      correlationId: id,
      deploymentId,
      projectId: 'site',
    });
    expect((await ports.queue.get('clone', deploymentId))?.data).toMatchObject({ correlationId: id });
    expect((await ports.store.get(deploymentId))?.record.correlationId).toBe(id);
  },
);

test.each([['an unexpected error', 500, new TypeError('x is not a function')]])(
  '%s is logged once, with its stack, under the id that the client is told',
  async (_what, status, error) => {
    const store = { projectOwner: async () => 'ada', list: () => Promise.reject(error) } as never;
    const { response, body } = await post({}, { store });
    expect(response.status).toBe(status);
    const id = response.headers.get('X-Request-Id');
    expect(body.instance).toBe(`urn:veren:request:${id}`);
    expect(lines).toEqual([
      {
        level: 'ERROR',
        message: 'A request could not be answered',
        function: 'api',
        correlationId: id,
        method: 'POST',
        path: '/deployments',
        status,
        error: { name: 'TypeError', message: error.message, stack: expect.stringContaining('requestLog.test') },
      },
    ]);
  },
);

test('what clients do wrong is not logged', async () => {
  const { response } = await post({ 'Content-Type': 'text/plain' });
  expect(response.status).toBe(400);
  expect(lines).toEqual([]);
});

test('lines of an invocation bear its id, also of two at once', async () => {
  const handler = withRequestId(async (name: string) => {
    await new Promise((r) => setTimeout(r, 5));
    log.info('Done', { name });
  });
  await Promise.all([handler('a', { awsRequestId: '1' }), handler('b', { awsRequestId: '2' })]);
  expect(lines.map(({ requestId, name }) => [name, requestId])).toEqual([
    ['a', '1'],
    ['b', '2'],
  ]);
});

test('what is no JSON is logged all the same', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  log.warn('Odd', { circle, big: 1n });
  expect(lines).toMatchObject([{ message: 'Odd', big: '1' }]);
});

test('the laptop has the same fields as text, one line per event, without control characters', () => {
  const said: string[] = [];
  const text = textLog(
    (line) => said.push(line),
    () => 0,
  ).with({ function: 'build-worker' });
  text.warn('A build could not be started', { deploymentId: '01a', attempt: 2, reason: 'no \u001b[31mroom\nat all' });
  expect(said).toEqual([
    '1970-01-01T00:00:00.000Z WARN  build-worker: A build could not be started deploymentId=01a attempt=2 reason="no \\u001b[31mroom\\nat all"',
  ]);
  text.error('Odd', { error: new TypeError('why') });
  expect(said[1]).toMatch(/ERROR build-worker: Odd error="TypeError: why"\n\s+at /);
});

import { Webhook } from 'standardwebhooks';
import { VerenError } from '../../../contract/errors.ts';
import { QUEUES } from '../../../contract/names.ts';
import type { Notice } from '../../../contract/notifications.ts';
import { drainNotifications } from '../../../lambdas/git-worker/notifications/drainNotifications.ts';
import { slackMessage } from '../../../lambdas/git-worker/notifications/slackMessage.ts';
import { checkNoticeUrl } from '../../../lambdas/shared/notifications/noticeAddress.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import { LAPTOP_POLICY, PUBLIC_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';
import { scene } from '../../support/controlPlane/scene.ts';
import { openWorld, type World } from '../../support/controlPlane/world.ts';
import { frontendPlan } from '../../support/events.ts';
import { eventually } from '../../support/eventually.ts';
import { httpDouble, type Request } from '../../support/httpDouble.ts';
import { silentLog } from '../../support/log.ts';
import { gitStage } from './gitStage.ts';

const HOUR = 3_600_000;
const ADDRESS = '/projects/shop/notifications';
const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
const kept = <T extends { close(): Promise<unknown> }>(one: T): T => {
  open.push(one);
  return one;
};
const read = ({ body }: Request) => JSON.parse(body) as Notice;

describe('from the request to the address', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  test('ends, releases and rollbacks arrive, signed as Standard Webhooks says, and as messages of Slack', async () => {
    const hook = kept(await httpDouble(() => ({ status: 204 })));
    const slack = kept(await httpDouble(() => ({ status: 200, body: 'ok' })));
    const analyze = async ({ ref }: { ref?: string | undefined }) => {
      if (ref === 'broken') throw new VerenError('REPO_NOT_FOUND', { url: 'https://git.example/<!channel>' });
      return { ...frontendPlan(), branch: 'main', commit: 'c'.repeat(40) };
    };
    await scene(world, { analyze }, async ({ plane, end }) => {
      await plane.call('PUT', '/projects/shop', { gitUrl: 'https://git.example/shop' });
      const made = await plane.call('POST', ADDRESS, { kind: 'webhook', name: 'ops', url: `${hook.url}/in?key=k` });
      expect(made.status).toBe(201);
      await plane.call('POST', ADDRESS, { kind: 'slack', name: 'chat', url: slack.url, events: ['deployment.failed'] });
      const first = await plane.deploy({ projectId: 'shop' });
      await end(first);
      const second = await plane.deploy({ projectId: 'shop' });
      await end(second);
      await eventually(async () => (await plane.call('GET', '/projects/shop')).body.release !== null);
      await plane.idle();
      expect((await plane.call('POST', '/projects/shop/rollback', { reason: 'too <fast>' })).status).toBe(202);
      const broken = await plane.deploy({ projectId: 'shop', ref: 'broken' });
      await end(broken);
      await eventually(async () => {
        await plane.watch();
        return hook.requests.length >= 6;
      });
      await plane.idle();

      const webhook = new Webhook(made.body.secret as string);
      for (const { url, body, headers } of hook.requests) {
        expect(url).toBe('/in?key=k');
        // The test's clock is ahead of the library's.
        const now = jest.spyOn(Date, 'now').mockReturnValue(Number(headers['webhook-timestamp']) * 1_000);
        expect(() => webhook.verify(body, headers as Record<string, string>)).not.toThrow();
        now.mockRestore();
      }
      const told = hook.requests.map(read).map(({ type, data }) => `${type} ${data.deploymentId}`);
      expect(told.toSorted()).toEqual(
        [
          `deployment.failed ${broken}`,
          ...[`deployment.succeeded ${first}`, `production.released ${first}`],
          ...[`deployment.succeeded ${second}`, `production.released ${second}`],
          `production.rolledBack ${first}`,
        ].toSorted(),
      );
      const rolledBack = hook.requests.map(read).find(({ type }) => type === 'production.rolledBack');
      expect(rolledBack?.data).toMatchObject({ reason: 'too <fast>', environment: 'production', branch: 'main' });
      expect(rolledBack?.data.url).toBe('http://shop.example');
      const [message, ...more] = slack.requests;
      expect(more).toEqual([]);
      expect(message?.headers['webhook-signature']).toBeUndefined();
      expect(JSON.parse(message!.body).text).toContain('Deployment failed: *shop*');
      const [, foreign] = JSON.parse(message!.body).blocks;
      expect(foreign.text).toMatchObject({ type: 'plain_text', text: expect.stringContaining('&lt;!channel&gt;') });
    });
  });
});

/** A project with one address, and the API and git-worker on memory ports. */
async function stage(answer: (request: Request) => number | { status: number; headers?: Record<string, string> }) {
  const double = kept(
    await httpDouble((request) => {
      const said = answer(request);
      return typeof said === 'number' ? { status: said } : said;
    }),
  );
  const { call, clock, worker, ports, s3, ...rest } = kept(await gitStage());
  await call('PUT', '/projects/shop', { gitUrl: 'https://git.example/ada/shop.git' });
  const add = async (kind: string, name = 'ops') =>
    (await call('POST', ADDRESS, { kind, name, url: `${double.url}/secret-path` })).body as { id: string };
  return {
    ...{ ...rest, double, call, clock, worker, ports, s3, add },
    send: async (id: string) => {
      clock.advance(1_000);
      expect((await call('POST', `${ADDRESS}/${id}/test`)).status).toBe(202);
    },
    fault: async () => (await call('GET', ADDRESS)).body.items[0].fault,
    /** Goes on for as long as jobs wait. */
    async settle(maxHours = 30) {
      for (const end = clock.now() + maxHours * HOUR; clock.now() < end; ) {
        await worker();
        const waiting = await ports.queue.list(QUEUES.notification, 'waiting');
        if (waiting.length === 0) return;
        clock.advance(Math.max(1_000, Math.min(...waiting.map(({ runAt }) => runAt)) - clock.now()));
      }
      throw new Error('jobs still wait');
    },
  };
}

test('an outage is survived: the same body under the same id, later, one call at a time', async () => {
  let isDown = true;
  const { add, send, worker, settle, double, clock, fault } = await stage(() =>
    isDown ? { status: 503, headers: { 'retry-after': '120' } } : 200,
  );
  const { id } = await add('webhook');
  await send(id);
  await worker();
  expect(double.requests).toHaveLength(1);
  await send(id);
  await send(id);
  await worker();
  expect(double.requests).toHaveLength(1);
  clock.advance(125_000);
  await worker();
  expect(double.requests.length).toBeLessThanOrEqual(2);
  isDown = false;
  await settle();
  const [first] = double.requests;
  const repeats = double.requests.filter(({ headers }) => headers['webhook-id'] === first?.headers['webhook-id']);
  expect(repeats.length).toBeGreaterThan(1);
  expect(new Set(repeats.map(({ body }) => body)).size).toBe(1);
  expect(new Set(double.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  expect(await fault()).toBeUndefined();
});

test('an address that stays silent for a day is given up, which the project says until something arrives', async () => {
  let isDown = true;
  const { add, send, settle, double, fault } = await stage(() => (isDown ? 500 : 200));
  const { id } = await add('webhook');
  await send(id);
  await settle();
  expect(double.requests.length).toBeGreaterThan(50);
  expect(double.requests.length).toBeLessThan(300);
  expect(await fault()).toMatchObject({ code: 'NOTIFICATION_UNANSWERED' });
  expect((await fault()).message).toContain('it answered 500');
  isDown = false;
  await send(id);
  await settle();
  expect(await fault()).toBeUndefined();
});

test.each([
  ['webhook', 410],
  ['webhook', 302],
  ['slack', 404],
])('%s: an answer %i is final, is told and is not followed', async (kind, status) => {
  const other = kept(await httpDouble(() => ({ status: 200 })));
  const { add, send, settle, double, fault } = await stage(() => ({ status, headers: { location: other.url } }));
  const { id } = await add(kind);
  await send(id);
  await settle();
  expect(double.requests).toHaveLength(1);
  expect(other.requests).toEqual([]);
  expect(await fault()).toMatchObject({ code: 'NOTIFICATION_REFUSED' });
  expect((await fault()).message).not.toContain('secret-path');
});

test('neither address nor secret is shown again or stored in clear text, and what is removed is told nothing', async () => {
  const { add, send, settle, double, call, s3 } = await stage(() => 200);
  const made = (await add('webhook')) as { id: string; secret: string };
  const list = await call('GET', ADDRESS);
  expect(list.body.items).toMatchObject([{ id: made.id, name: 'ops', kind: 'webhook', createdBy: 'ada' }]);
  const seen = [JSON.stringify(list.body), ...[...s3.objects.values()].map((text) => String(text))].join('\n');
  expect(seen).not.toContain(made.secret);
  expect(seen).not.toContain('secret-path');
  expect((await call('POST', ADDRESS, { kind: 'slack', name: 'ops', url: double.url })).body.code).toBe('NAME_TAKEN');
  await send(made.id);
  expect((await call('DELETE', `${ADDRESS}/${made.id}`)).status).toBe(204);
  await settle();
  expect(double.requests).toEqual([]);
  expect((await call('DELETE', `${ADDRESS}/${made.id}`)).status).toBe(404);
  expect((await call('GET', ADDRESS)).body.items).toEqual([]);
});

test.each([
  ['ftp://public.example/x', 'it is no https address'],
  ['http://public.example/x', 'it has to be https'],
  ['https://user:pw@public.example/x', 'user name or password'],
  ['https://169.254.169.254/latest/meta-data', 'not public'],
  ['https://[::1]:6379/', 'not public'],
  ['https://0x7f000001/', 'not public'],
])('on a stage %s is refused', (url, reason) => {
  expect(() => checkNoticeUrl(url, PUBLIC_POLICY)).toThrow(reason);
});

test('a name that points inside when something is sent is not called, and the project says so', async () => {
  const { add, send, double, fault, ports, clock, s3 } = await stage(() => 200);
  const { id } = await add('webhook');
  await send(id);
  const asked: string[] = [];
  const deps = {
    ...{ queue: ports.queue, store: ports.store, clock, log: silentLog, siteAddresses: async () => ({ url: 'x' }) },
    projects: openProjectStore({ s3, bucket: 'bucket', clock }),
    secretBox: { open: async () => JSON.stringify({ url: 'https://rebound.example/', secret: 'whsec_YQ==' }) },
    rules: {
      policy: PUBLIC_POLICY,
      resolve: async (name: string) => {
        asked.push(name);
        return ['93.184.215.14', '10.0.0.7'];
      },
    },
  };
  await drainNotifications(deps);
  expect(asked).toEqual(['rebound.example']);
  expect(double.requests).toEqual([]);
  expect(await fault()).toMatchObject({ code: 'NOTIFICATION_FORBIDDEN' });
});

test('text of strangers can mention nobody, link nowhere and format nothing in Slack', () => {
  const url = 'https://a.example/|b>c';
  const bad = 'https://evil.example *x* <!here>\n`y` [z](https://evil.example)';
  const data = { projectId: 'shop', branch: bad, by: bad, reason: bad, error: { code: 'X', message: bad }, url };
  const notice = { type: 'deployment.failed', timestamp: '', data: { ...data, commit: 'c'.repeat(40) } } as const;
  const { text, blocks } = JSON.parse(slackMessage(notice));
  const [title, foreign, more] = blocks;
  // The text is what receivers show that know no blocks, and what some of them format.
  const formatted = [text, ...[title, more].map((block) => block.text.text)].join('\n');
  expect(formatted).not.toMatch(/evil|here|`/);
  expect(formatted).toContain('*shop* (cccccccccccc)');
  expect(formatted).toContain('<https://a.example/%7Cb%3Ec>');
  expect(blocks).toHaveLength(3);
  for (const { text: own } of [title, more]) expect(own).toMatchObject({ type: 'mrkdwn', verbatim: true });
  expect(foreign.text).toMatchObject({ type: 'plain_text', emoji: false });
  expect(foreign.text.text).toContain('&lt;!here&gt; `y`');
  // A commit is one only where it looks like one.
  const odd = JSON.parse(slackMessage({ ...notice, data: { projectId: 'shop', commit: '*<!here>*' } }));
  expect(odd.text).not.toContain('here');
});

test('a laptop may tell an address of its own network', () => {
  expect(checkNoticeUrl('http://192.168.1.2:9000/x#y', LAPTOP_POLICY).href).toBe('http://192.168.1.2:9000/x');
});

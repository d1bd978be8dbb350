import { mailMessage } from '../../../lambdas/git-worker/notifications/mailMessage.ts';
import { snsMails } from '../../../lambdas/shared/adapters/aws/snsMails.ts';
import { MAIL_TOPICS, snsDouble } from '../../support/snsDouble.ts';
import { gitStage } from './gitStage.ts';

const ADDRESSES = '/projects/shop/notifications';
const READER = 'eve@mail.example';
const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
const kept = <T extends { close(): Promise<unknown> }>(one: T): T => {
  open.push(one);
  return one;
};

/** A project, and the API and git-worker with a double of SNS. */
async function stage() {
  const sns = kept(await snsDouble());
  const git = kept(await gitStage({ mails: snsMails(sns.client, MAIL_TOPICS) }));
  await git.call('PUT', '/projects/shop', { gitUrl: 'https://git.example/ada/shop.git' });
  const { call } = git;
  return {
    ...{ ...git, sns },
    add: (name = 'ops', address = READER) => call('POST', ADDRESSES, { kind: 'email', name, address }),
    list: async () => (await call('GET', ADDRESSES)).body.items,
    async test(id: string) {
      git.clock.advance(1_000);
      expect((await call('POST', `${ADDRESSES}/${id}/test`)).status).toBe(202);
      await git.worker();
    },
  };
}

test('a reader is asked, gets what was asked for once they have agreed, and nothing after they or the project have left', async () => {
  const { add, list, test: send, call, sns, s3 } = await stage();
  const made = await add();
  expect(made).toMatchObject({ status: 201, body: { kind: 'email', host: 'mail.example' } });
  expect(made.body).not.toHaveProperty('secret');
  const { id } = made.body;
  const [[arn, topic] = []] = [...sns.topics];
  expect(arn).toBe(`${MAIL_TOPICS}shop-${id}`);
  expect(topic?.attributes).toMatchObject({ KmsMasterKeyId: 'alias/aws/sns' });
  expect(JSON.parse(topic!.attributes.Policy!).Statement).toMatchObject([{ Effect: 'Deny', Resource: arn }]);
  expect(await list()).toMatchObject([{ id, subscription: 'pending' }]);
  await send(id);
  expect(sns.mails).toEqual([]);

  sns.answer(READER, 'confirmed');
  expect(await list()).toMatchObject([{ subscription: 'confirmed' }]);
  await send(id);
  expect(sns.mails).toMatchObject([{ to: READER, subject: 'This is a test: shop' }]);
  expect(sns.mails[0]!.text).toContain('Project:     shop\n');
  const stored = [...s3.objects.values()].join();
  expect(stored + JSON.stringify(await list())).not.toContain(READER);

  sns.answer(READER, 'left');
  expect(await list()).toMatchObject([{ subscription: 'ended' }]);
  expect((await call('DELETE', `${ADDRESSES}/${id}`)).status).toBe(204);
  expect(sns.topics.size).toBe(0);
  expect(await list()).toEqual([]);
});

test('nobody is asked for what is refused, and no owner has more than twenty readers asked a day', async () => {
  const { add, call, sns } = await stage();
  for (const address of [
    'no address',
    'eve@mail.example\r\nBcc: all@mail.example',
    'eve@mail.example, bob@mail.example',
    'Eve <eve@mail.example>',
    `${'e'.repeat(250)}@mail.example`,
    'évé@mail.example',
  ])
    expect((await add('ops', address)).body).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
  expect((await add('ops')).status).toBe(201);
  expect((await add('ops', 'bob@mail.example')).body).toMatchObject({ code: 'NAME_TAKEN' });
  expect(sns.topics.size).toBe(1);
  // Making and removing asks somebody each time.
  for (let i = 1; i < 20; i++) {
    const { body } = await add(`n${i}`, `reader${i}@mail.example`);
    expect((await call('DELETE', `${ADDRESSES}/${body.id}`)).status).toBe(204);
  }
  expect((await add('late')).body).toMatchObject({ status: 429, code: 'MAIL_RATE_LIMITED' });
});

test('an outage of SNS: nothing is half made, a mail is sent later, and the list still answers', async () => {
  const { add, list, test: send, call, sns, clock, worker } = await stage();
  sns.state.fault = { status: 503 };
  expect((await add()).body).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  expect(await list()).toEqual([]);
  sns.state.fault = undefined;
  const { id } = (await add()).body;
  sns.answer(READER, 'confirmed');
  sns.state.fault = { status: 500 };
  await send(id);
  const [shown] = await list();
  expect(shown).not.toHaveProperty('subscription');
  expect((await call('DELETE', `${ADDRESSES}/${id}`)).status).toBe(503);
  sns.state.fault = undefined;
  clock.advance(10_000);
  await worker();
  expect(sns.mails).toHaveLength(1);
  // Somebody has removed it in the account.
  sns.topics.clear();
  await send(id);
  expect(await list()).toMatchObject([{ subscription: 'ended', fault: { code: 'NOTIFICATION_REFUSED' } }]);
});

test('where there is no e-mail the answer says so', async () => {
  const { call } = kept(await gitStage());
  await call('PUT', '/projects/shop', { gitUrl: 'https://git.example/ada/shop.git' });
  const { body } = await call('POST', ADDRESSES, { kind: 'email', name: 'ops', address: READER });
  expect(body).toMatchObject({ status: 422, code: 'EMAIL_UNAVAILABLE' });
});

test('text of strangers ends no line or header of a mail, and is no link', () => {
  const evil = 'x\r\nBcc: all@mail.example\u2028\u202e https://evil.example www.evil.example';
  const { subject, text } = mailMessage({
    type: 'deployment.failed',
    timestamp: '2026-11-28T00:00:00.000Z',
    data: {
      ...{ projectId: 'shop', environment: 'preview', deploymentId: 'd', branch: evil, commit: 'c'.repeat(40) },
      ...{ url: 'https://shop.example/\n', by: evil, reason: evil },
      error: { code: 'BUILD_FAILED', message: `${evil}\n${'y\n'.repeat(500)}` },
    },
  });
  expect(subject).toBe('Deployment failed: shop (preview)');
  expect(text).not.toMatch(/[\r\u2028\u202e]/);
  expect(text).not.toMatch(/^Bcc/m);
  expect(text.match(/:\/\//g)).toHaveLength(1);
  expect(text).not.toContain('www.');
  expect(text.length).toBeLessThan(2_000);
  expect(
    mailMessage({ type: 'production.released', timestamp: '', data: { projectId: 'p'.repeat(200) } }).subject,
  ).toHaveLength(99);
});

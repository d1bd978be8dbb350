import { CloneJobSchema } from '../../../contract/jobs.ts';
import { makeAnalyzedEvent } from '../../../lambdas/domain/events.ts';
import { frontendPlan } from '../../support/events.ts';
import { commitOf, GIT_URL, gitStage } from './gitStage.ts';

const [A, B, C] = [commitOf(1), commitOf(2), commitOf(3)];
type Stage = Awaited<ReturnType<typeof gitStage>>;

/** Each deployment in few words, oldest first. */
async function made(stage: Stage): Promise<string[]> {
  const items = await stage.deployments();
  const words = items.map(async ({ deploymentId, ref, status }) => {
    const { environment, commit, lane } = await stage.requestOf(deploymentId);
    return [environment, ref, commit?.slice(-1), lane, status === 'canceled' && status].filter(Boolean).join(' ');
  });
  return (await Promise.all(words)).reverse();
}

async function opened(settings: object = {}, connection: object = {}): Promise<Stage> {
  const stage = await gitStage();
  await stage.connect(settings, connection);
  return stage;
}

test('a push to the production branch deploys that commit to production, one to another branch a preview', async () => {
  const stage = await opened();
  stage.setRef('main', A);
  stage.setRef('feature', B);
  await stage.deliver('push', stage.pushed('main', A));
  await stage.deliver('push', stage.pushed('feature', B));
  await stage.worker();
  expect(await made(stage)).toEqual(['production main 1', 'preview feature 2']);
  const [newest] = await stage.deployments();
  expect(newest).toMatchObject({
    gitUrl: GIT_URL,
    trigger: { kind: 'push', host: 'github', repository: 'ada/shop', commit: B, by: 'ada' },
  });
  const shown = await stage.call('GET', `/deployments/${newest!.deploymentId}`);
  expect(shown.body.trigger).toMatchObject({ kind: 'push', commit: B });
  expect(await stage.requestOf(newest!.deploymentId)).toMatchObject({
    resolved: { ref: 'feature', branch: 'feature' },
  });
});

test('a commit that a push and a pull request name is deployed once; a repeat of either changes nothing', async () => {
  const stage = await opened();
  stage.setRef('feature', B);
  for (let i = 0; i < 2; i++) {
    await stage.deliver('push', stage.pushed('feature', B));
    await stage.deliver('pull_request', stage.pull('opened', 7, 'feature', B));
    await stage.worker();
  }
  expect(await made(stage)).toEqual(['preview feature 2']);
});

test('an older push that arrives late is not deployed; the newer one stays', async () => {
  const stage = await opened();
  stage.setRef('main', B);
  await stage.deliver('push', stage.pushed('main', B, { before: A }));
  await stage.worker();
  await stage.deliver('push', stage.pushed('main', A, { before: C }));
  await stage.worker();
  expect(await made(stage)).toEqual(['production main 2']);
});

test('a branch that is put back to an earlier commit shows that one again', async () => {
  const stage = await opened();
  for (const [commit, before] of [
    [A, null],
    [B, A],
    [A, B],
    [A, B],
  ] as const) {
    stage.setRef('main', commit);
    await stage.deliver('push', stage.pushed('main', commit, { before }));
    await stage.worker();
  }
  expect((await made(stage)).map((words) => words.slice(0, 17))).toEqual([
    ...['production main 1', 'production main 2', 'production main 1'],
  ]);
});

test('a host that is behind what it has told is asked again', async () => {
  const stage = await opened();
  stage.setRef('main', A);
  await stage.deliver('push', stage.pushed('main', B, { before: A }));
  await stage.worker();
  expect(await made(stage)).toEqual([]);
  stage.setRef('main', B);
  stage.clock.advance(60_000);
  await stage.worker();
  expect(await made(stage)).toEqual(['production main 2']);
});

test('a newer push ends the older deployment of its branch that still waits', async () => {
  const stage = await opened();
  for (const commit of [A, B]) {
    stage.setRef('main', commit);
    await stage.deliver('push', stage.pushed('main', commit));
    await stage.worker();
  }
  // The event is on its way to the projector; the job of the older one is gone.
  const jobs = await stage.ports.queue.list('clone', 'waiting');
  expect(jobs.map(({ data }) => (data as { request: { commit: string } }).request.commit)).toEqual([B]);
});

test('a pull request of a fork waits for a member at this commit, and is built without a token of the project', async () => {
  const stage = await opened();
  await stage.storeToken('host-token');
  const forkUrl = 'https://git.example/eve/shop.git';
  stage.setRef('main', A, forkUrl);
  await stage.deliver('pull_request', stage.pull('opened', 9, 'main', A, { fork: true }));
  await stage.worker();
  expect(await made(stage)).toEqual([]);
  // The address in the delivery is not asked, and the fork's host gets no token.
  expect(stage.asked).toEqual([{ gitUrl: forkUrl, ref: { kind: 'branch', name: 'main' }, gitToken: undefined }]);
  const { body } = await stage.call('GET', '/projects/shop/approvals');
  expect(body.items).toMatchObject([{ number: 9, commit: A, from: 'eve/shop', author: 'eve' }]);
  expect((await stage.call('POST', '/projects/shop/approvals', { number: 9, commit: B })).status).toBe(404);
  const approved = await stage.call('POST', '/projects/shop/approvals', { number: 9, commit: A });
  expect(approved.status).toBe(202);
  expect(await made(stage)).toEqual(['preview pull:9 1 untrusted']);
  // The worker can read its job.
  const [job] = await stage.ports.queue.list('clone', 'waiting');
  expect(CloneJobSchema.parse(job?.data).request.ref).toBe('pull:9');
  const request = await stage.requestOf(approved.body.deploymentId);
  expect(request).toMatchObject({ gitUrl: forkUrl, lane: 'untrusted', environment: 'preview' });
  expect(request.sealed).toBeUndefined();
  expect((await stage.call('GET', '/projects/shop/approvals')).body.items).toEqual([]);
  // The next commit waits again.
  stage.setRef('main', B, forkUrl);
  await stage.deliver('pull_request', stage.pull('synchronize', 9, 'main', B, { fork: true }));
  await stage.worker();
  expect(await made(stage)).toHaveLength(1);
  await stage.deliver('pull_request', stage.pull('closed', 9, 'main', B, { fork: true }));
  await stage.worker();
  expect((await stage.call('GET', '/projects/shop/approvals')).body.items).toEqual([]);
});

test('forks may be built always or never', async () => {
  const forkUrl = 'https://git.example/eve/shop.git';
  for (const [forks, expected] of [
    ['build', ['preview pull:9 1 untrusted']],
    ['never', []],
  ] as const) {
    const stage = await opened({}, { forks });
    stage.setRef('main', A, forkUrl);
    await stage.deliver('pull_request', stage.pull('opened', 9, 'main', A, { fork: true }));
    await stage.worker();
    expect(await made(stage)).toEqual(expected);
  }
});

test('the project’s own branches are read with its token', async () => {
  const stage = await opened();
  await stage.storeToken('host-token');
  stage.setRef('main', A);
  await stage.deliver('push', stage.pushed('main', A));
  await stage.worker();
  expect(stage.asked[0]).toMatchObject({ gitToken: 'host-token' });
  const [deployment] = await stage.deployments();
  expect((await stage.requestOf(deployment!.deploymentId)).sealed).toBeDefined();
});

test('the token goes only to the host that it was stored for, and the project says where it did not', async () => {
  const stage = await opened();
  await stage.storeToken('host-token');
  const fault = async () => (await stage.call('GET', '/projects/shop')).body.gitFault;
  const push = async (gitUrl: string, commit: string) => {
    expect((await stage.call('PATCH', '/projects/shop', { gitUrl })).status).toBe(200);
    stage.setRef('main', commit, gitUrl);
    await stage.deliver('push', stage.pushed('main', commit));
    await stage.worker();
    const [deployment] = await stage.deployments();
    const { sealed } = await stage.requestOf(deployment!.deploymentId);
    return [stage.asked.at(-1)?.gitUrl, stage.asked.at(-1)?.gitToken, sealed !== undefined];
  };
  const elsewhere = ['https://evil.example/ada/shop.git', 'http://git.example/ada/shop.git'];
  for (const [i, gitUrl] of [...elsewhere, 'https://git.example:8443/ada/shop.git'].entries()) {
    expect(await push(gitUrl, commitOf(10 + i))).toEqual([gitUrl, undefined, false]);
    expect((await fault()).code).toBe('GIT_TOKEN_ELSEWHERE');
    expect((await fault()).message).toContain(new URL(gitUrl).origin);
  }
  expect(await push(GIT_URL, A)).toEqual([GIT_URL, 'host-token', true]);
  expect(await fault()).toBeUndefined();
});

test('a closed pull request and a deleted branch end the preview, and production stays', async () => {
  const stage = await opened();
  for (const branch of ['main', 'feature', 'other']) {
    stage.setRef(branch, A);
    await stage.deliver('push', stage.pushed(branch, A));
  }
  await stage.worker();
  for (const record of await stage.deployments()) {
    const environment = record.ref === 'main' ? ('production' as const) : ('preview' as const);
    const plan = { ...frontendPlan(), branch: record.ref!, lane: environment, environment };
    await stage.ports.store.fold(record.deploymentId, [makeAnalyzedEvent(record, plan, stage.clock.now())]);
  }
  stage.setRef('feature', null);
  await stage.deliver('pull_request', stage.pull('closed', 7, 'feature', A));
  stage.setRef('other', null);
  stage.setRef('main', null);
  for (const branch of ['other', 'main']) await stage.deliver('push', stage.pushed(branch, null, { before: A }));
  await stage.worker();
  const marked = JSON.parse(stage.s3.objects.get('__projects/shop.json')!).expiring as { deploymentId: string }[];
  const byId = new Map((await stage.deployments()).map((d) => [d.deploymentId, d.ref]));
  expect(marked.map(({ deploymentId }) => byId.get(deploymentId)).sort()).toEqual(['feature', 'other']);
});

test('a deletion that arrives after the branch was made again ends nothing', async () => {
  const stage = await opened();
  stage.setRef('feature', B);
  await stage.deliver('push', stage.pushed('feature', B));
  await stage.deliver('push', stage.pushed('feature', null, { before: A }));
  await stage.worker();
  expect(JSON.parse(stage.s3.objects.get('__projects/shop.json')!).expiring).toBeUndefined();
});

test('a renamed repository is followed by its id; another repository’s delivery is nothing', async () => {
  const stage = await opened();
  stage.setRef('main', A);
  await stage.deliver('push', stage.pushed('main', A));
  await stage.worker();
  const as = (repository: object, commit: string) => ({ ...stage.pushed('main', commit), repository });
  await stage.deliver('push', as({ id: 5, full_name: 'eve/shop', clone_url: GIT_URL }, B));
  await stage.worker();
  expect(await made(stage)).toHaveLength(1);
  const moved = 'https://git.example/ada-inc/store.git';
  stage.setRef('main', C, moved);
  await stage.deliver('push', as({ id: 1, full_name: 'ada-inc/store', clone_url: 'https://evil.example/x.git' }, C));
  await stage.worker();
  const { body } = await stage.call('GET', '/projects/shop');
  expect(body.settings).toMatchObject({ gitUrl: moved, connection: { repository: 'ada-inc/store' } });
  expect((await stage.deployments())[0]).toMatchObject({ gitUrl: moved, ref: 'main' });
});

test('the event of a rename is enough where no delivery has come before', async () => {
  const stage = await opened();
  const repository = { id: 1, full_name: 'ada/store', clone_url: GIT_URL };
  const changes = { repository: { name: { from: 'shop' } } };
  await stage.deliver('repository', { action: 'renamed', changes, repository });
  await stage.worker();
  const { body } = await stage.call('GET', '/projects/shop');
  expect(body.settings).toMatchObject({ gitUrl: 'https://git.example/ada/store.git' });
});

test('rules of the connection: tags, no previews, drafts, a message that asks for no deployment', async () => {
  const stage = await opened(
    { productionBranch: 'live' },
    { productionTags: 'v*', previews: 'pullRequests', drafts: false },
  );
  for (const name of ['main', 'live', 'v1', 'feature']) stage.setRef(name, A);
  await stage.deliver('push', stage.pushed('main', A));
  await stage.deliver('push', stage.pushed('live', A, { message: 'Typo [skip ci]' }));
  await stage.deliver('push', { ...stage.pushed('x', A), ref: 'refs/tags/v1' });
  await stage.deliver('pull_request', stage.pull('opened', 1, 'feature', A, { draft: true }));
  await stage.worker();
  expect(await made(stage)).toEqual(['production v1 1']);
  await stage.deliver('pull_request', stage.pull('ready_for_review', 1, 'feature', A));
  await stage.worker();
  expect(await made(stage)).toEqual(['production v1 1', 'preview feature 1']);
});

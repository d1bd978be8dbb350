import { VerenError } from '../../../contract/errors.ts';
import { makeAnalyzedEvent } from '../../../lambdas/domain/events.ts';
import type { TipInput } from '../../../lambdas/shared/repo/readTip.ts';
import { frontendPlan } from '../../support/events.ts';
import { commitOf, GIT_URL, gitStage } from './gitStage.ts';

const [A, B, C] = [commitOf(1), commitOf(2), commitOf(3)];
const FORK_URL = 'https://git.example/eve/shop.git';
const MOVED_URL = 'https://git.example/ada/shop-v2.git';
type Stage = Awaited<ReturnType<typeof hostStage>>;

/** A git host that can be made to refuse what it is asked, or to know no default branch. */
async function hostStage(settings: object = {}, connection: object = {}) {
  const host = { refuses: false, headless: false };
  const wrap = <T extends object>(port: T): T =>
    'readTip' in port
      ? ({
          readTip: async (input: TipInput) => {
            if (host.refuses) throw new VerenError('REPO_NOT_FOUND', { url: input.gitUrl });
            const tip = await (port.readTip as (input: TipInput) => Promise<object>)(input);
            return host.headless ? { ...tip, defaultBranch: null } : tip;
          },
        } as unknown as T)
      : port;
  const stage = await gitStage({ wrap });
  await stage.connect(settings, connection);
  return {
    ...stage,
    host,
    /** Follows what waits, also what has to be tried again later. */
    async follow(minutes = 10) {
      for (let i = 0; i < minutes; i++) {
        await stage.worker();
        stage.clock.advance(60_000);
      }
    },
    async push(branch: string, commit: string | null, before: string | null = null) {
      stage.setRef(branch, commit);
      await stage.deliver('push', stage.pushed(branch, commit, { before }));
      await stage.worker();
      stage.clock.advance(1_000);
    },
    async tell(action: string, number: number, branch: string, commit: string, fork = false) {
      await stage.deliver('pull_request', stage.pull(action, number, branch, commit, { fork }));
      await stage.worker();
      stage.clock.advance(1_000);
    },
    /** The commits that wait for their analysis: what was canceled does not. */
    waiting: async () =>
      (await stage.ports.queue.list('clone', 'waiting')).map(
        ({ data }) => (data as { request: { commit?: string } }).request.commit,
      ),
  };
}

/** Each deployment in few words, oldest first. */
async function made(stage: Stage): Promise<string[]> {
  const items = (await stage.deployments()).toReversed();
  const words = items.map(async ({ deploymentId, ref }) => {
    const { environment, commit, lane } = await stage.requestOf(deploymentId);
    return [environment ?? 'anywhere', ref, commit?.slice(-1) ?? 'unseen', lane].filter(Boolean).join(' ');
  });
  return Promise.all(words);
}

const connectMoved = (stage: Stage) =>
  stage.call('PUT', '/projects/shop', {
    ...{ gitUrl: MOVED_URL, connection: { host: 'github', repository: 'ada/shop-v2' } },
  });

describe('another connection', () => {
  test('the repository before, whose hook is still there, gets nothing of the project back', async () => {
    const stage = await hostStage();
    await stage.push('main', A);
    expect((await connectMoved(stage)).status).toBe(200);
    await stage.push('main', B, A);
    await stage.follow();
    expect(await made(stage)).toEqual(['production main 1']);
    const { settings } = (await stage.call('GET', '/projects/shop')).body;
    expect(settings).toMatchObject({ gitUrl: MOVED_URL, connection: { repository: 'ada/shop-v2' } });
  });

  test('another repository under the name takes nothing over, until a member says that it is meant', async () => {
    const stage = await hostStage();
    await stage.push('main', A);
    // The repository has got another name, whose delivery is late, and somebody beside it has made one of its name.
    const taken = (commit: string, name = 'shop', id = 2) => ({
      ...stage.pushed('main', commit),
      repository: { id, full_name: `ada/${name}`, clone_url: GIT_URL },
    });
    stage.setRef('main', B);
    await stage.deliver('push', taken(B));
    await stage.follow();
    expect(await made(stage)).toEqual(['production main 1']);
    const shown = async () => (await stage.call('GET', '/projects/shop')).body;
    expect((await shown()).gitFaults).toMatchObject([{ code: 'GIT_REPOSITORY_REPLACED' }]);
    // A change of something else, and a host that says it again, are no yes.
    await stage.call('PATCH', '/projects/shop', { productionBranch: 'main' });
    await stage.deliver('push', taken(B), 'again');
    await stage.follow();
    expect(await made(stage)).toEqual(['production main 1']);
    await stage.call('PATCH', '/projects/shop', { connection: { repository: 'ada/shop' } });
    expect((await shown()).gitFaults).toBeUndefined();
    await stage.deliver('push', taken(B), 'and again');
    await stage.follow();
    expect(await made(stage)).toEqual(['production main 1', 'production main 2']);
    await stage.deliver('push', taken(C, 'shop', 1), 'of the one before');
    await stage.follow();
    expect((await shown()).gitFaults).toMatchObject([{ code: 'GIT_REPOSITORY_REPLACED' }]);
    // The name goes with the one that was meant.
    await stage.deliver('push', taken(B, 'store', 2), 'renamed');
    await stage.follow();
    expect((await shown()).settings.connection.repository).toBe('ada/store');
    expect((await shown()).gitFaults).toBeUndefined();
  });

  test('a change of how it is connected is no word for another repository under the name', async () => {
    const stage = await hostStage();
    await stage.push('main', A);
    const taken = (n: number) => ({
      ...stage.pushed('main', B),
      repository: { id: 2, full_name: 'ada/shop', clone_url: GIT_URL },
      n,
    });
    stage.setRef('main', B);
    // Before anybody knows of another one, also where the form sends the name with it; and afterwards, without the name.
    await stage.call('PATCH', '/projects/shop', { connection: { repository: 'ada/shop', drafts: false } });
    await stage.deliver('push', taken(1), 'first');
    await stage.follow();
    await stage.call('PATCH', '/projects/shop', { connection: { drafts: true } });
    await stage.deliver('push', taken(2), 'second');
    await stage.follow();
    expect(await made(stage)).toEqual(['production main 1']);
    const { gitFaults } = (await stage.call('GET', '/projects/shop')).body;
    expect(gitFaults).toMatchObject([{ code: 'GIT_REPOSITORY_REPLACED' }]);
  });

  test('what was learned goes with a repository that is renamed', async () => {
    const stage = await hostStage();
    await stage.push('main', A);
    stage.setRef('x', B, FORK_URL);
    await stage.tell('opened', 9, 'x', B, true);
    const asNamed = (name: string) => ({
      ...stage.pushed('main', A),
      repository: { id: 1, full_name: `ada/${name}`, clone_url: GIT_URL },
    });
    for (const name of ['two', 'three']) await stage.deliver('push', asNamed(name));
    await stage.worker();
    const { settings } = (await stage.call('GET', '/projects/shop')).body;
    expect(settings).toMatchObject({ gitUrl: 'https://git.example/ada/three.git' });
    expect((await stage.call('GET', '/projects/shop/approvals')).body.items).toMatchObject([{ number: 9, commit: B }]);
  });

  test('a proposal to the repository before can be neither seen nor approved', async () => {
    const stage = await hostStage();
    stage.setRef('x', A, FORK_URL);
    await stage.tell('opened', 9, 'x', A, true);
    await connectMoved(stage);
    expect((await stage.call('GET', '/projects/shop/approvals')).body.items).toEqual([]);
    expect((await stage.call('POST', '/projects/shop/approvals', { number: 9, commit: A })).status).toBe(404);
    expect(await made(stage)).toEqual([]);
  });
});

describe('forks', () => {
  test.each([false, true])(
    'a proposal without a branch (AGit) is foreign, whatever the host answers',
    async (refuses) => {
      const stage = await hostStage({}, { forks: 'build' });
      stage.setRef('refs/pull/7/head', C);
      stage.host.refuses = refuses;
      await stage.tell('opened', 7, 'refs/pull/7/head', C);
      await stage.follow();
      expect(await made(stage)).toEqual([]);
    },
  );

  test('a fork that cannot be read is neither built nor put before a member', async () => {
    for (const forks of ['build', 'approve']) {
      const stage = await hostStage({}, { forks });
      stage.host.refuses = true;
      await stage.tell('opened', 9, 'x', A, true);
      await stage.follow();
      expect(await made(stage)).toEqual([]);
      expect((await stage.call('GET', '/projects/shop/approvals')).body.items).toEqual([]);
    }
  });

  test('a commit is approved by its whole id, and once', async () => {
    const stage = await hostStage();
    stage.setRef('x', A, FORK_URL);
    await stage.tell('opened', 9, 'x', A, true);
    const approve = (commit: string) => stage.call('POST', '/projects/shop/approvals', { number: 9, commit });
    expect((await approve(A.slice(0, 7))).status).toBe(400);
    expect((await approve(A)).status).toBe(202);
    await stage.tell('ready_for_review', 9, 'x', A, true);
    expect((await stage.call('GET', '/projects/shop/approvals')).body.items).toEqual([]);
    expect(await made(stage)).toEqual(['preview pull:9 1 untrusted']);
  });

  test('a commit that was approved before a newer one is shown again when the fork goes back to it', async () => {
    const stage = await hostStage();
    for (const commit of [A, B]) {
      stage.setRef('x', commit, FORK_URL);
      await stage.tell('synchronize', 9, 'x', commit, true);
      expect((await stage.call('POST', '/projects/shop/approvals', { number: 9, commit })).status).toBe(202);
    }
    stage.setRef('x', A, FORK_URL);
    await stage.tell('synchronize', 9, 'x', A, true);
    expect(await stage.waiting()).toEqual([A]);
  });
});

describe('a host that refuses', () => {
  test('an old push that comes while the host refuses does not take production back', async () => {
    const stage = await hostStage({ productionBranch: 'main' });
    await stage.push('main', B, A);
    stage.host.refuses = true;
    await stage.deliver('push', stage.pushed('main', A, { before: C }));
    await stage.worker();
    stage.host.refuses = false;
    await stage.follow();
    expect(await made(stage)).toEqual(['production main 2']);
  });

  test('where nothing can be read, what fails is the branch, in no guessed environment and at no old commit', async () => {
    const stage = await hostStage();
    stage.host.refuses = true;
    await stage.deliver('push', stage.pushed('main', A));
    await stage.worker();
    expect(await made(stage)).toEqual([]);
    await stage.follow();
    expect(await made(stage)).toEqual(['anywhere main unseen']);
    expect((await stage.deployments())[0]!.trigger).toMatchObject({ commit: A });
    stage.host.refuses = false;
    await stage.push('main', B, A);
    expect((await made(stage)).at(-1)).toBe('production main 2');
  });

  test('a delivery that is repeated while nothing can be read makes no second deployment', async () => {
    const stage = await hostStage();
    stage.host.refuses = true;
    for (let i = 0; i < 2; i++) {
      await stage.deliver('push', stage.pushed('main', A));
      await stage.follow();
    }
    expect(await made(stage)).toEqual(['anywhere main unseen']);
  });

  test('a host that never tells its default branch leaves the environment to the analysis', async () => {
    const stage = await hostStage();
    stage.host.headless = true;
    await stage.push('main', A);
    await stage.follow();
    expect(await made(stage)).toEqual(['anywhere main unseen']);
  });

  test('a host that does not tell its default branch makes no preview of production', async () => {
    const stage = await hostStage();
    stage.host.headless = true;
    await stage.push('main', A);
    expect(await made(stage)).toEqual([]);
    stage.host.headless = false;
    await stage.follow();
    expect(await made(stage)).toEqual(['production main 1']);
  });
});

describe('a host that lags', () => {
  test('the newest of several pushes is deployed, though the host shows none of them at first', async () => {
    const stage = await hostStage();
    await stage.push('main', A);
    await stage.deliver('push', stage.pushed('main', B, { before: A }));
    await stage.deliver('push', stage.pushed('main', C, { before: B }));
    await stage.worker();
    stage.setRef('main', C);
    await stage.follow();
    expect(await made(stage)).toEqual(['production main 1', 'production main 3']);
  });

  test('a push whose commit is never shown stands for what its branch shows', async () => {
    const stage = await hostStage();
    stage.setRef('main', C);
    await stage.deliver('push', stage.pushed('main', B, { before: A }));
    await stage.follow();
    expect(await made(stage)).toEqual(['production main 3']);
  });

  test('a push that comes late does not deploy a newer commit whose message asks not to', async () => {
    const stage = await hostStage();
    stage.setRef('main', C);
    await stage.deliver('push', stage.pushed('main', C, { before: B, message: 'Version 2 [skip ci]' }));
    await stage.deliver('push', stage.pushed('main', B, { before: A }));
    await stage.follow();
    expect(await made(stage)).toEqual([]);
  });

  test('a pull request whose commit is not shown yet is asked for again', async () => {
    const stage = await hostStage({}, { previews: 'pullRequests' });
    stage.setRef('feature', A);
    await stage.tell('synchronize', 7, 'feature', B);
    stage.setRef('feature', B);
    await stage.follow();
    expect(await made(stage)).toEqual(['preview feature 2']);
  });

  test('a deleted branch that is still shown is closed as soon as it is not', async () => {
    const stage = await hostStage();
    await stage.push('x', A);
    await stage.deliver('push', stage.pushed('x', null, { before: A }));
    await stage.worker();
    expect(await stage.waiting()).toEqual([A]);
    stage.setRef('x', null);
    await stage.follow();
    expect(await stage.waiting()).toEqual([]);
  });
});

describe('what was closed', () => {
  test('a pull request that is opened again has its preview again, each time', async () => {
    const stage = await hostStage({}, { previews: 'pullRequests' });
    stage.setRef('feature', B);
    for (const action of ['opened', 'closed', 'reopened', 'closed', 'reopened'])
      await stage.tell(action, 7, 'feature', B);
    expect(await stage.waiting()).toEqual([B]);
    await stage.tell('synchronize', 7, 'feature', B);
    expect(await made(stage)).toHaveLength(3);
  });

  test('a branch that is restored has its preview again', async () => {
    const stage = await hostStage();
    await stage.push('feature', B);
    await stage.push('feature', null, B);
    expect(await stage.waiting()).toEqual([]);
    await stage.push('feature', B);
    expect(await stage.waiting()).toEqual([B]);
  });

  test('a pull request from the production branch, closed, makes nothing of production anew', async () => {
    const stage = await hostStage();
    await stage.push('main', A);
    await stage.tell('closed', 3, 'main', A);
    await stage.deliver('push', stage.pushed('main', A));
    await stage.worker();
    expect(await made(stage)).toEqual(['production main 1']);
  });

  test('a preview whose files are going is made anew', async () => {
    const stage = await hostStage({}, { previews: 'pullRequests' });
    stage.setRef('feature', B);
    await stage.tell('opened', 7, 'feature', B);
    const [record] = await stage.deployments();
    const plan = { ...frontendPlan(), branch: 'feature', lane: 'preview', environment: 'preview' } as const;
    await stage.ports.store.fold(record!.deploymentId, [makeAnalyzedEvent(record!, plan, stage.clock.now())]);
    await stage.tell('closed', 7, 'feature', B);
    await stage.tell('reopened', 7, 'feature', B);
    expect(await made(stage)).toHaveLength(2);
  });

  test('an approved commit of a fork is built again when its pull request is opened again', async () => {
    const stage = await hostStage();
    stage.setRef('x', A, FORK_URL);
    await stage.tell('opened', 9, 'x', A, true);
    await stage.call('POST', '/projects/shop/approvals', { number: 9, commit: A });
    await stage.tell('closed', 9, 'x', A, true);
    expect(await stage.waiting()).toEqual([]);
    await stage.tell('reopened', 9, 'x', A, true);
    expect(await stage.waiting()).toEqual([A]);
  });

  test('a branch that two pull requests show keeps its preview until both are closed', async () => {
    const stage = await hostStage({}, { previews: 'pullRequests' });
    stage.setRef('x', A);
    for (const number of [1, 2]) await stage.tell('opened', number, 'x', A);
    await stage.tell('closed', 1, 'x', A);
    expect(await stage.waiting()).toEqual([A]);
    await stage.tell('closed', 2, 'x', A);
    expect(await stage.waiting()).toEqual([]);
  });

  test('a branch that has a preview by its pushes keeps it when its pull request is closed, until it is deleted', async () => {
    const stage = await hostStage();
    await stage.push('x', A);
    await stage.tell('opened', 1, 'x', A);
    await stage.tell('closed', 1, 'x', A);
    expect(await stage.waiting()).toEqual([A]);
    await stage.push('x', null, A);
    expect(await stage.waiting()).toEqual([]);
  });
});

test('a branch that is put back shows its commit again, however much was deployed between', async () => {
  const stage = await hostStage();
  await stage.push('main', A);
  await stage.push('main', B, A);
  for (let i = 10; i < 115; i++) {
    stage.setRef(`b${i}`, commitOf(i));
    await stage.deliver('push', stage.pushed(`b${i}`, commitOf(i)));
  }
  await stage.worker();
  await stage.push('main', A, B);
  expect((await made(stage)).filter((words) => words.startsWith('production'))).toEqual([
    ...['production main 1', 'production main 2', 'production main 1'],
  ]);
});

test('a delivery that is sent again later is followed again', async () => {
  const stage = await hostStage();
  stage.setRef('main', A);
  const connect = (host: string) =>
    stage.call('PATCH', '/projects/shop', { connection: { host, repository: 'ada/shop' } });
  await stage.deliver('push', stage.pushed('main', A), 'guid');
  await connect('gitlab');
  await stage.worker();
  await connect('github');
  stage.clock.advance(10 * 60_000);
  await stage.deliver('push', stage.pushed('main', A), 'guid');
  await stage.worker();
  expect(await made(stage)).toEqual(['production main 1']);
});

test('a branch does not cancel the waiting deployment of a tag of its name', async () => {
  const stage = await hostStage({}, { productionTags: 'v*' });
  stage.setRef('v1', A);
  await stage.deliver('push', { ...stage.pushed('x', A), ref: 'refs/tags/v1' });
  await stage.worker();
  await stage.push('v1', B);
  expect((await stage.waiting()).toSorted()).toEqual([A, B]);
});

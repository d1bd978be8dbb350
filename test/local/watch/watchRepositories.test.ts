import { VerenError } from '../../../contract/errors.ts';
import { openDocuments } from '../../../lambdas/shared/documents.ts';
import { openGitSecrets } from '../../../lambdas/shared/gitHosts/gitSecrets.ts';
import { openProjectDocuments } from '../../../lambdas/shared/gitHosts/projectDocuments.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import type { ListedRef } from '../../../lambdas/shared/repo/listRefs.ts';
import { changedProjects } from '../../../local/watch/changedProjects.ts';
import { RepositoryWatch } from '../../../local/watch/watchRepositories.ts';
import { commitOf, GIT_URL, gitStage } from '../../lambdas/git-worker/gitStage.ts';
import { silentLog } from '../../support/log.ts';

const [A, B, C, D] = [commitOf(1), commitOf(2), commitOf(3), commitOf(4)];

/** A project that is watched, on memory ports; the repository is the stage's map of refs. */
async function watchStage(connection: object = {}) {
  const stage = await gitStage();
  const { s3, bucket, clock } = stage;
  const documents = openDocuments(s3, bucket);
  const projects = openProjectStore({ s3, bucket, clock });
  const messages = new Map<string, string>();
  const host = { asked: 0, refuses: false, tags: new Map<string, string>() };
  const deps = {
    ...{ queue: stage.ports.queue, waker: { wake: async () => undefined }, clock, log: silentLog },
    documents: openProjectDocuments(documents),
    projects,
    listProjects: changedProjects({ s3, projects }, { bucket, owner: 'ada' }),
    secrets: openGitSecrets({ documents, box: stage.secretBox }),
    async listRefs({ gitUrl }: { gitUrl: string }) {
      host.asked++;
      if (host.refuses) throw new VerenError('REPO_NOT_FOUND', { url: gitUrl });
      const branches = [...stage.refs].flatMap(([key, commit]): ListedRef[] => {
        const [url, name = ''] = key.split(' ');
        return url === gitUrl && !host.tags.has(name) ? [{ kind: 'branch', name, commit }] : [];
      });
      const tags = [...host.tags].map(([name, commit]): ListedRef => ({ kind: 'tag', name, commit }));
      return { refs: [...branches, ...tags], defaultBranch: 'main' };
    },
    readMessage: async ({ commit }: { commit: string }, _signal?: AbortSignal) => messages.get(commit) ?? 'a change',
  };
  const begin = () => new RepositoryWatch(deps);
  let watch = begin();
  await stage.connect({}, { watch: true, ...connection });
  return {
    ...stage,
    ...{ host, messages, deps },
    restart() {
      watch = begin();
    },
    tag(name: string, commit: string) {
      host.tags.set(name, commit);
      stage.setRef(name, commit);
    },
    /** Looks as often as the watch wants to within this time, and follows what it has told. */
    async pass(minutes = 1.5) {
      for (let i = 0; i < minutes * 40; i++) {
        await watch.tick();
        await watch.settle();
        await stage.worker();
        stage.clock.advance(1_500);
      }
    },
    faults: async () =>
      ((await stage.call('GET', '/projects/shop')).body.gitFaults ?? []).map(({ code }: { code: string }) => code),
    /** Oldest first. */
    async made() {
      const items = (await stage.deployments()).toReversed();
      const words = items.map(async ({ deploymentId, ref }) => {
        const { environment, commit } = await stage.requestOf(deploymentId);
        return [environment, ref, commit?.slice(-1)].filter(Boolean).join(' ');
      });
      return Promise.all(words);
    },
  };
}

test('the first look deploys the production branch alone; later ones follow what has changed, by the rules of deliveries', async () => {
  const stage = await watchStage({ productionTags: 'v*' });
  stage.setRef('main', A);
  stage.setRef('old', B);
  await stage.pass();
  expect(await stage.made()).toEqual(['production main 1']);
  stage.setRef('feature', C);
  stage.tag('v1', A);
  stage.tag('other', B);
  await stage.pass();
  expect((await stage.made()).slice(1).toSorted()).toEqual(['preview feature 3', 'production v1 1']);
  stage.messages.set(D, 'wording [skip ci]');
  stage.setRef('main', D);
  await stage.pass();
  expect(await stage.made()).toHaveLength(3);
  const waiting = async () =>
    (await stage.ports.queue.list('clone', 'waiting')).map(
      ({ data }) => (data as { request: { commit?: string } }).request.commit,
    );
  expect(await waiting()).toContain(C);
  stage.setRef('feature', null);
  await stage.pass();
  expect(await waiting()).not.toContain(C);
  const [newest] = await stage.deployments();
  expect(newest).toMatchObject({ gitUrl: GIT_URL, trigger: { kind: 'push', host: 'github', repository: 'ada/shop' } });
});

test('a branch that is put back is deployed again, and what stays is not, also after a restart', async () => {
  const stage = await watchStage();
  for (const commit of [A, B, A]) {
    stage.setRef('main', commit);
    await stage.pass();
  }
  const before = await stage.made();
  expect(before.map((words) => words.split(' ')[2])).toEqual(['1', '2', '1']);
  stage.restart();
  await stage.pass();
  expect(await stage.made()).toEqual(before);
  // What was pushed while nobody looked is seen by the next start.
  stage.setRef('main', C);
  stage.restart();
  await stage.pass();
  expect((await stage.made()).at(-1)).toBe('production main 3');
});

test('a crash between what is told and what is noted tells nothing twice', async () => {
  const stage = await watchStage();
  stage.setRef('main', A);
  const put = stage.deps.documents.change;
  stage.deps.documents.change = async () => {
    throw new VerenError('UNAVAILABLE', { reason: 'the object storage' });
  };
  await stage.pass();
  stage.deps.documents.change = put;
  await stage.pass(5);
  expect(await stage.made()).toEqual(['production main 1']);
});

test('a host that refuses is told in the project and asked ever more seldom; what came meanwhile is deployed then', async () => {
  const stage = await watchStage();
  stage.setRef('main', A);
  await stage.pass();
  stage.host.refuses = true;
  const asked = stage.host.asked;
  await stage.pass(60);
  expect(stage.host.asked - asked).toBeGreaterThan(4);
  expect(stage.host.asked - asked).toBeLessThan(12);
  expect(await stage.faults()).toEqual(['GIT_WATCH_FAILED']);
  stage.host.refuses = false;
  stage.setRef('main', B);
  await stage.pass(20);
  expect(await stage.faults()).toEqual([]);
  expect((await stage.made()).at(-1)).toBe('production main 2');
});

test('a repository that shows no ref at all any more ends nothing', async () => {
  const stage = await watchStage();
  stage.setRef('main', A);
  await stage.pass();
  stage.setRef('feature', B);
  await stage.pass();
  stage.setRef('main', null);
  stage.setRef('feature', null);
  await stage.pass();
  expect(await stage.made()).toEqual(['production main 1', 'preview feature 2']);
  expect(await stage.faults()).toEqual(['GIT_WATCH_FAILED']);
});

test('a project that is not watched any more, or is being deleted, is not looked at', async () => {
  const stage = await watchStage();
  stage.setRef('main', A);
  await stage.pass();
  stage.host.refuses = true;
  await stage.pass();
  expect(await stage.faults()).toEqual(['GIT_WATCH_FAILED']);
  await stage.call('PATCH', '/projects/shop', { connection: { watch: null } });
  const asked = stage.host.asked;
  await stage.pass(3);
  expect([stage.host.asked, await stage.faults()]).toEqual([asked, []]);
  stage.host.refuses = false;
  await stage.call('PATCH', '/projects/shop', { connection: { watch: true } });
  await stage.pass();
  expect(stage.host.asked).toBeGreaterThan(asked);
  const again = stage.host.asked;
  await stage.call('DELETE', '/projects/shop');
  await stage.pass(3);
  expect(stage.host.asked).toBe(again);
});

test('hundreds of new branches are told a few at a time, and each once', async () => {
  const stage = await watchStage();
  stage.setRef('main', A);
  await stage.pass();
  for (let i = 0; i < 45; i++) stage.setRef(`b${i}`, commitOf(100 + i));
  await stage.pass(0.025);
  expect((await stage.made()).length).toBeLessThanOrEqual(21);
  await stage.pass(5);
  expect(new Set(await stage.made()).size).toBe(46);
});

test('a commit whose message cannot be read is told without it, and holds up no other branch', async () => {
  const stage = await watchStage();
  stage.setRef('main', A);
  await stage.pass();
  const read = stage.deps.readMessage;
  stage.deps.readMessage = async (of) => {
    if (of.commit === B) throw new VerenError('GIT_FAILED', { url: GIT_URL, reason: 'bad object' });
    return read(of);
  };
  stage.setRef('a-broken', B);
  stage.setRef('main', C);
  await stage.pass();
  expect((await stage.made()).slice(1).toSorted()).toEqual(['preview a-broken 2', 'production main 3']);
  expect(await stage.faults()).toEqual([]);
});

test('a host that sends a message without end is waited for some seconds only', async () => {
  const stage = await watchStage();
  const waits: (number | undefined)[] = [];
  const timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    waits.push(ms);
    return AbortSignal.abort(new Error('late'));
  });
  try {
    stage.deps.readMessage = (_of, signal?: AbortSignal) =>
      new Promise<string>((_resolve, reject) => {
        if (signal?.aborted) reject(signal.reason);
      });
    stage.setRef('main', A);
    await stage.pass(0.025);
  } finally {
    timeout.mockRestore();
  }
  await stage.pass();
  expect(await stage.made()).toEqual(['production main 1']);
  expect(Math.max(...waits.map(Number))).toBeLessThanOrEqual(5_000);
});

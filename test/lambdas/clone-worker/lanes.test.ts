import { join } from 'node:path';
import { BuildJobSchema } from '../../../contract/jobs.ts';
import { type AnalyzeInput, analyzeRepository } from '../../../lambdas/clone-worker/analyzeRepository.ts';
import { drainCloneQueue } from '../../../lambdas/clone-worker/workers/clone.ts';
import { LAPTOP_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';
import { apiFixture, testSecretBox } from '../../support/api.ts';
import { frontendPlan } from '../../support/events.ts';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';
import { type GitServer, git, makeRepo, startGitServer } from '../../support/gitServer.ts';
import { silentLog } from '../../support/log.ts';
import { noProjects } from '../../support/noProjects.ts';

/** Which caches a deployment reaches, by its ref and the default branch of its repository. */
const repos = temporaryFolder();
const servers: GitServer[] = [];
let commit = '';

beforeAll(async () => {
  const folder = join(repos, 'app');
  commit = makeRepo(folder, { 'index.html': '' }).commit;
  git(folder, ['checkout', '-q', '-b', 'trunk/next']);
  for (const name of ['feature', 'trunk', 'x/trunk/next']) git(folder, ['branch', name.replace('trunk', 'trunk2')]);
  git(folder, ['tag', 'v1']);
  const hidden = join(repos, 'hidden');
  makeRepo(hidden, { 'index.html': '' });
  git(hidden, ['tag', 'main']);
  servers.push(await startGitServer({ repos }), await startGitServer({ repos, protocolV2: false }));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  removeFolders();
});

const hosts: [string, () => string][] = [
  ['protocol version 2', () => servers[0]!.url],
  ['protocol version 0', () => servers[1]!.url],
  ['a folder', () => `file://${repos}`],
];

describe.each(hosts)('a host: %s', (_, host) => {
  const lane = async (ref?: string, over: Partial<AnalyzeInput> = {}, name = 'app') =>
    (await analyzeRepository({ gitUrl: `${host()}/${name}`, ref, policy: LAPTOP_POLICY, ...over })).lane;

  test.each([[undefined], ['HEAD'], ['trunk/next'], ['heads/trunk/next'], ['refs/heads/trunk/next']])(
    'production: %s',
    async (ref) => expect(await lane(ref)).toBe('production'),
  );

  test.each([['feature'], ['main'], ['v1'], ['refs/tags/v1'], ['x/trunk2/next']])('preview: %s', async (ref) =>
    expect(await lane(ref)).toBe('preview'),
  );

  test('a commit is a preview, unless a redeployment says what it was', async () => {
    expect(await lane(commit)).toBe('preview');
    expect(await lane(commit, { lane: 'production' })).toBe('production');
    expect(await lane('trunk/next', { lane: 'untrusted' })).toBe('untrusted');
  });

  test('a tag with the name of the default branch is what git takes, and no branch', async () => {
    expect(await lane('main', {}, 'hidden')).toBe('preview');
    expect(await lane('refs/heads/main', {}, 'hidden')).toBe('production');
  });
});

test('a build job has the lane of its plan and what the request says of caches', async () => {
  const { ports, call, projects } = await apiFixture();
  const request = { projectId: 'site', gitUrl: 'https://git.example/me/site.git', ref: 'x', cache: 'drop' };
  const jobOf = async (plan: object) => {
    const { deploymentId } = (await call('POST', '/deployments', request)).body;
    const analyze = async () => ({ ...frontendPlan(), ...plan });
    await drainCloneQueue({
      ...ports,
      ...noProjects,
      projects,
      clock: { now: Date.now },
      analyze,
      secretBox: testSecretBox(),
      log: silentLog,
    });
    return (await ports.queue.get('build', `${deploymentId}-frontend`))?.data;
  };
  expect(await jobOf({ lane: 'production' })).toMatchObject({ lane: 'production', cache: 'drop' });
  // A plan that a worker of an earlier version has noted.
  expect(await jobOf({})).toMatchObject({ lane: 'preview', cache: 'drop' });
});

test('a build job of an earlier version reaches no cache of production’s', async () => {
  const { lane: _, ...plan } = { lane: null, ...frontendPlan() };
  const job = {
    deploymentId: 'd1',
    projectId: 'site',
    owner: 'ada',
    target: 'frontend',
    gitUrl: 'https://git.example/x',
    commit: plan.commit,
    plan: plan.frontend,
    env: {},
  };
  expect(BuildJobSchema.parse(job)).toMatchObject({ lane: 'preview', cache: 'use' });
});

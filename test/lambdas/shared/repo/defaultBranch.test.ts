import { join } from 'node:path';
import { LAPTOP_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { withGitRepo } from '../../../../lambdas/shared/repo/gitRepo.ts';
import { removeFolders, temporaryFolder } from '../../../support/folders.ts';
import { type GitServer, git, makeRepo, startGitServer } from '../../../support/gitServer.ts';

const repos = temporaryFolder();
const servers: GitServer[] = [];
let commit: string;

beforeAll(async () => {
  ({ commit } = makeRepo(join(repos, 'app'), { 'index.html': 'x' }));
  git(join(repos, 'app'), ['branch', 'other']);
  git(join(repos, 'app'), ['branch', '-m', 'main', 'release/1.x']);
  makeRepo(join(repos, 'detached'), { 'index.html': 'x' });
  git(join(repos, 'detached'), ['checkout', '-q', '--detach']);
  servers.push(await startGitServer({ repos }), await startGitServer({ repos, protocolV2: false }));
});
afterAll(async () => {
  for (const server of servers) await server.close();
  removeFolders();
});

const hosts = {
  'protocol version 2': () => servers[0]!.url,
  'protocol version 0': () => servers[1]!.url,
  'a folder': () => `file://${repos}`,
};

describe.each(Object.entries(hosts))('%s tells where HEAD is', (_name, base) => {
  const branch = (repo: string, ref?: string) =>
    withGitRepo({ gitUrl: `${base()}/${repo}`, ref, policy: LAPTOP_POLICY }, async (opened) => opened.defaultBranch);

  test('without a ref, and with another', async () => {
    expect(await branch('app')).toBe('release/1.x');
    expect(await branch('app', 'other')).toBe('release/1.x');
  });
  test('not where a commit is asked for, nor where HEAD is on no branch', async () => {
    expect(await branch('app', commit)).toBeNull();
    expect(await branch('detached')).toBeNull();
  });
});

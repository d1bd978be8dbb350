import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DeploymentView } from '../../contract/api.ts';
import { describeWith } from '../support/engines.ts';
import { eventually } from '../support/eventually.ts';
import { type GiteaServer, type GiteaUser, giteaMissing, startGitea } from '../support/gitHosts/giteaServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

const run = promisify(execFile);

interface GiteaStatus {
  readonly context: string;
  readonly status: string;
  readonly description: string;
  readonly target_url: string;
}
interface GiteaComment {
  readonly id: number;
  readonly body: string;
}

describeWith(giteaMissing, 'a real Gitea', () => {
  const platform = usePlatform();
  let gitea: GiteaServer;
  let ada: GiteaUser;

  beforeAll(async () => {
    gitea = await startGitea();
    ada = await gitea.addUser('ada');
  }, 120_000);
  afterAll(async () => {
    await gitea?.close();
  });

  const api = <T>(method: string, path: string, body?: object) => platform.veren.call<T>(method, path, body);

  /** A repository that is made by the host's API and connected by ours, as docs/git.md says. */
  async function connect(name: string, { scopes = 'write:repository,write:issue', isPrivate = true, rules = {} } = {}) {
    await gitea.call(ada, 'POST', '/user/repos', { name, private: isPrivate, default_branch: 'main' });
    const repository = `ada/${name}`;
    await api('PUT', `/projects/${name}`, {
      gitUrl: `${gitea.url}/${repository}.git`,
      connection: { host: 'gitea', repository, ...rules },
      frontend: { ...HOST_NODE, installCommand: '', buildCommand: 'node build.mjs', outputDirectory: 'dist' },
      backend: false,
    });
    await api('PUT', `/projects/${name}/git-token`, { token: await gitea.makeToken(ada, scopes) });
    const hook = await api<{ url: string; secret: string; events: string[] }>('POST', `/projects/${name}/webhook`);
    const { url, secret, events } = hook;
    await gitea.call(ada, 'POST', `/repos/${repository}/hooks`, {
      ...{ type: 'gitea', active: true, events },
      config: { url, secret, content_type: 'json' },
    });
    const folder = join(platform.folder, name);
    await mkdir(folder);
    const git = async (...args: string[]) => {
      const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false'];
      const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' };
      return (await run('git', [...identity, ...args], { cwd: folder, env })).stdout.trim();
    };
    const remoteOf = ({ name: who, token }: GiteaUser, of = repository) =>
      `${gitea.url.replace('//', `//${who}:${token}@`)}/${of}.git`;
    await git('init', '-q', '-b', 'main');
    await git('remote', 'add', 'origin', remoteOf(ada));
    return {
      repository,
      git,
      remoteOf,
      /** Commits a site that says this, and pushes the branch over HTTP. */
      async push(branch: string, text: string, { build = '', remote = 'origin', options = [] as string[] } = {}) {
        const writing = build || `writeFileSync('dist/index.html', ${JSON.stringify(text)})`;
        const script = `import { mkdirSync, writeFileSync } from 'node:fs';\nmkdirSync('dist', { recursive: true });\n${writing};\n`;
        await writeFile(join(folder, 'build.mjs'), script);
        await writeFile(join(folder, 'package.json'), JSON.stringify({ name, private: true }));
        await git('add', '.');
        await git('commit', '-q', '-m', text);
        await git('push', '-q', ...options, remote, `HEAD:refs/heads/${branch}`);
        return git('rev-parse', 'HEAD');
      },
      deployments: async () => (await api<{ items: DeploymentView[] }>('GET', `/deployments?projectId=${name}`)).items,
      async deploymentOf(commit: string): Promise<DeploymentView> {
        const found = await eventually(async () => (await this.deployments()).find((one) => one.commit === commit));
        return platform.veren.finished(found.deploymentId);
      },
      statuses: (commit: string) =>
        gitea.call<GiteaStatus[]>(ada, 'GET', `/repos/${repository}/commits/${commit}/statuses?sort=oldest`),
      /** What the commit shows once it is final. */
      async finalStatus(commit: string): Promise<GiteaStatus> {
        return eventually(async () => {
          const path = `/repos/${repository}/commits/${commit}/status`;
          const { statuses } = await gitea.call<{ statuses: GiteaStatus[] | null }>(ada, 'GET', path);
          return statuses?.find(({ status }) => status !== 'pending');
        });
      },
      comments: (number: number) =>
        gitea.call<GiteaComment[]>(ada, 'GET', `/repos/${repository}/issues/${number}/comments`),
    };
  }

  test('push → webhook → deployment of a private repository → status on the commit', async () => {
    const shop = await connect('shop');
    const commit = await shop.push('main', 'one');
    const deployment = await shop.deploymentOf(commit);
    expect(deployment).toMatchObject({ status: 'succeeded', environment: 'production', trigger: { kind: 'push' } });
    const shown = await shop.finalStatus(commit);
    expect(shown).toMatchObject({ status: 'success', context: 'veren/shop' });
    expect(await (await fetch(shown.target_url)).text()).toBe('one');
    const told = await shop.statuses(commit);
    expect(told.map(({ status }) => status).filter((status) => status !== 'pending')).toEqual(['success']);
  }, 180_000);

  test('a build that fails says so, with its sentence', async () => {
    const shop = await connect('broken');
    const commit = await shop.push('main', 'bad', { build: 'process.exit(3)' });
    expect(await shop.deploymentOf(commit)).toMatchObject({ status: 'failed' });
    const shown = await shop.finalStatus(commit);
    expect(shown.status).toBe('failure');
    expect(shown.description).toMatch(/\w+ .*3/);
  }, 180_000);

  test('a pull request gets a preview and one comment that is kept up to date; closed, both say so', async () => {
    const shop = await connect('pulls', { rules: { previews: 'pullRequests' } });
    await shop.deploymentOf(await shop.push('main', 'main'));
    await shop.git('checkout', '-q', '-b', 'topic');
    const first = await shop.push('topic', 'topic one');
    const pull = { title: 'Topic', head: 'topic', base: 'main' };
    const { number } = await gitea.call<{ number: number }>(ada, 'POST', `/repos/${shop.repository}/pulls`, pull);
    const preview = await shop.deploymentOf(first);
    expect(preview).toMatchObject({ status: 'succeeded', environment: 'preview' });
    const ready = (commit: string) => () =>
      shop
        .comments(number)
        .then((all) => all.find(({ body }) => body.includes('preview is ready') && body.includes(commit.slice(0, 12))));
    const comment = await eventually(ready(first));
    const address = (await shop.finalStatus(first)).target_url;
    expect(comment.body).toContain(address);
    const second = await shop.push('topic', 'topic two');
    await shop.deploymentOf(second);
    expect((await eventually(ready(second))).id).toBe(comment.id);
    await gitea.call(ada, 'PATCH', `/repos/${shop.repository}/pulls/${number}`, { state: 'closed' });
    const closed = await eventually(
      async () => (await shop.comments(number)).find(({ body }) => body.includes('The preview was removed')),
      { withinMs: 180_000 },
    );
    expect(closed.id).toBe(comment.id);
    expect(await shop.comments(number)).toHaveLength(1);
  }, 400_000);

  test('a token that may only read deploys, and the project says that reports are refused', async () => {
    const shop = await connect('readonly', { scopes: 'read:repository' });
    const commit = await shop.push('main', 'one');
    expect(await shop.deploymentOf(commit)).toMatchObject({ status: 'succeeded' });
    const { gitFault } = await eventually(async () => {
      const project = await api<{ gitFault?: { code: string; message: string } }>('GET', '/projects/readonly');
      return project.gitFault && { gitFault: project.gitFault };
    });
    expect(gitFault).toMatchObject({ code: 'GIT_TOKEN_REFUSED' });
    expect(gitFault.message).toContain('403');
    expect(await shop.statuses(commit)).toEqual([]);
  }, 180_000);

  test('a branch’s own preview outlives its pull request and ends with the branch; merged, main is deployed', async () => {
    const shop = await connect('branches', { rules: { productionTags: 'v*' } });
    await shop.deploymentOf(await shop.push('main', 'main'));
    await shop.git('checkout', '-q', '-b', 'topic');
    const commit = await shop.push('topic', 'topic');
    const preview = await shop.deploymentOf(commit);
    const pull = { title: 'Topic', head: 'topic', base: 'main' };
    const pulls = `/repos/${shop.repository}/pulls`;
    const { number } = await gitea.call<{ number: number }>(ada, 'POST', pulls, pull);
    await eventually(async () => (await shop.comments(number)).length > 0);
    await gitea.call(ada, 'POST', `${pulls}/${number}/merge`, { Do: 'merge' });
    await shop.git('fetch', '-q', 'origin');
    const merged = await shop.git('rev-parse', 'origin/main');
    expect(await shop.deploymentOf(merged)).toMatchObject({ status: 'succeeded', environment: 'production' });
    const { deploymentId } = preview;
    expect(await api('GET', `/deployments/${deploymentId}`)).not.toHaveProperty('expired');
    await shop.git('push', '-q', 'origin', ':topic');
    const hasGone = async () => (await api<DeploymentView>('GET', `/deployments/${deploymentId}`)).expired;
    expect(await eventually(hasGone, { withinMs: 240_000 })).toMatchObject({ reason: 'closed' });
    // A tag, a message that asks for nothing, and a force push over it.
    await shop.git('tag', '-a', '-m', 'The first', 'v1', merged);
    await shop.git('push', '-q', 'origin', 'v1');
    await eventually(async () => (await shop.deployments()).find(({ ref }) => ref === 'v1'));
    await shop.git('checkout', '-q', '-B', 'main', 'origin/main');
    const skipped = await shop.push('main', 'wording [skip ci]');
    await shop.git('reset', '-q', '--hard', 'HEAD~1');
    const forced = await shop.push('main', 'forced', { options: ['--force'] });
    expect(await shop.deploymentOf(forced)).toMatchObject({ status: 'succeeded', environment: 'production' });
    expect((await shop.deployments()).map((one) => one.commit)).not.toContain(skipped);
  }, 500_000);

  test('a fork’s pull request waits for a member, and is built without the token once it is approved', async () => {
    const shop = await connect('forked', { isPrivate: false });
    await shop.deploymentOf(await shop.push('main', 'main'));
    const eve = await gitea.addUser('eve');
    await gitea.call(eve, 'POST', `/repos/${shop.repository}/forks`, {});
    await shop.git('checkout', '-q', '-b', 'gift');
    const remote = shop.remoteOf(eve, 'eve/forked');
    const commit = await shop.push('gift', 'from eve', { remote });
    const pull = { title: 'A gift', head: 'eve:gift', base: 'main' };
    const { number } = await gitea.call<{ number: number }>(eve, 'POST', `/repos/${shop.repository}/pulls`, pull);
    const [held] = await eventually(async () => {
      const { items } = await api<{ items: object[] }>('GET', '/projects/forked/approvals');
      return items.length > 0 && items;
    });
    expect(held).toMatchObject({ number, commit, from: 'eve/forked', branch: 'gift', author: 'eve' });
    expect((await shop.deployments()).map((one) => one.commit)).not.toContain(commit);
    const waiting = await eventually(async () => (await shop.statuses(commit))[0]);
    expect(waiting).toMatchObject({ context: 'veren/forked/fork', status: 'pending' });
    await api('POST', '/projects/forked/approvals', { number, commit });
    expect(await shop.deploymentOf(commit)).toMatchObject({
      ...{ status: 'succeeded', environment: 'preview', trigger: { kind: 'pullRequest', isFork: true, number } },
    });
    expect(await shop.finalStatus(commit)).toMatchObject({ status: 'success', context: 'veren/forked/fork' });
  }, 240_000);

  test('a repository that was renamed is followed by its id', async () => {
    const shop = await connect('before');
    await shop.deploymentOf(await shop.push('main', 'one'));
    await gitea.call(ada, 'PATCH', `/repos/${shop.repository}`, { name: 'after' });
    await shop.git('remote', 'set-url', 'origin', shop.remoteOf(ada, 'ada/after'));
    const commit = await shop.push('main', 'two');
    expect(await shop.deploymentOf(commit)).toMatchObject({ status: 'succeeded', environment: 'production' });
    expect(await api('GET', '/projects/before')).toMatchObject({
      settings: { gitUrl: `${gitea.url}/ada/after.git`, connection: { repository: 'ada/after' } },
    });
  }, 180_000);

  test('a laptop that no webhook reaches watches a private repository', async () => {
    const shop = await connect('watched', { rules: { watch: true } });
    // Without its hook: what is deployed was seen.
    const [hook] = await gitea.call<{ id: number }[]>(ada, 'GET', `/repos/${shop.repository}/hooks`);
    await gitea.call(ada, 'DELETE', `/repos/${shop.repository}/hooks/${hook!.id}`);
    const commit = await shop.push('main', 'seen');
    expect(await shop.deploymentOf(commit)).toMatchObject({ status: 'succeeded', environment: 'production' });
    expect(await shop.finalStatus(commit)).toMatchObject({ status: 'success' });
  }, 180_000);
});

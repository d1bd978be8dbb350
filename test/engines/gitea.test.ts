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
const EVENTS = ['push', 'delete', 'pull_request', 'pull_request_sync', 'repository'];

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
  async function connect(name: string, { scopes = 'write:repository,write:issue' } = {}) {
    await gitea.call(ada, 'POST', '/user/repos', { name, private: true, default_branch: 'main' });
    const repository = `ada/${name}`;
    await api('PUT', `/projects/${name}`, {
      gitUrl: `${gitea.url}/${repository}.git`,
      connection: { host: 'gitea', repository },
      frontend: { ...HOST_NODE, installCommand: '', buildCommand: 'node build.mjs', outputDirectory: 'dist' },
      backend: false,
    });
    await api('PUT', `/projects/${name}/git-token`, { token: await gitea.makeToken(ada, scopes) });
    const { url, secret } = await api<{ url: string; secret: string }>('POST', `/projects/${name}/webhook`);
    await gitea.call(ada, 'POST', `/repos/${repository}/hooks`, {
      ...{ type: 'gitea', active: true, events: EVENTS },
      config: { url, secret, content_type: 'json' },
    });
    const folder = join(platform.folder, name);
    await mkdir(folder);
    const git = async (...args: string[]) => {
      const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false'];
      const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' };
      return (await run('git', [...identity, ...args], { cwd: folder, env })).stdout.trim();
    };
    await git('init', '-q', '-b', 'main');
    await git('remote', 'add', 'origin', `${gitea.url.replace('//', `//ada:${ada.token}@`)}/${repository}.git`);
    return {
      repository,
      git,
      /** Commits a site that says this, and pushes the branch over HTTP. */
      async push(branch: string, text: string, build = `writeFileSync('dist/index.html', ${JSON.stringify(text)})`) {
        const script = `import { mkdirSync, writeFileSync } from 'node:fs';\nmkdirSync('dist', { recursive: true });\n${build};\n`;
        await writeFile(join(folder, 'build.mjs'), script);
        await writeFile(join(folder, 'package.json'), JSON.stringify({ name, private: true }));
        await git('add', '.');
        await git('commit', '-q', '-m', text);
        await git('push', '-q', 'origin', `HEAD:refs/heads/${branch}`);
        return git('rev-parse', 'HEAD');
      },
      async deploymentOf(commit: string): Promise<DeploymentView> {
        const found = await eventually(async () => {
          const { items } = await api<{ items: DeploymentView[] }>('GET', `/deployments?projectId=${name}`);
          return items.find((one) => one.commit === commit);
        });
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
    const commit = await shop.push('main', 'bad', 'process.exit(3)');
    expect(await shop.deploymentOf(commit)).toMatchObject({ status: 'failed' });
    const shown = await shop.finalStatus(commit);
    expect(shown.status).toBe('failure');
    expect(shown.description).toMatch(/\w+ .*3/);
  }, 180_000);

  test('a pull request gets a preview and one comment that is kept up to date; closed, both say so', async () => {
    const shop = await connect('pulls');
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
});

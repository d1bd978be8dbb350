import type { DeploymentView } from '../../contract/api.ts';
import { eventually } from '../support/eventually.ts';
import { RIGHT_TOKEN } from '../support/gitHosts/hostDouble.ts';
import { type Hook, pushedRepository } from '../support/gitHosts/pushedRepository.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

const platform = usePlatform();

const call = <T>(method: string, path: string, body?: object) => platform.veren.call<T>(method, path, body);

const BUILD =
  "import { cpSync, mkdirSync } from 'node:fs';\nmkdirSync('dist');\ncpSync('index.html', 'dist/index.html');\n";
const site = (text: string) => ({
  'index.html': text,
  'build.mjs': BUILD,
  'package.json': JSON.stringify({ name: 'shop', private: true }),
});

const deploymentsOf = async (commit: string) =>
  (await call<{ items: DeploymentView[] }>('GET', '/deployments?projectId=shop')).items.filter(
    (one) => one.commit === commit || one.trigger?.commit === commit,
  );
const deploymentOf = async (commit: string): Promise<DeploymentView> => {
  const [found] = await eventually(async () => {
    const all = await deploymentsOf(commit);
    return all.length > 0 && all;
  });
  return platform.veren.finished(found!.deploymentId);
};

test('a private repository: push → webhook → deployment → status; pull request → preview, one comment, closing', async () => {
  const shop = await pushedRepository(platform.folder, 'ada/shop');
  const { double } = shop;
  const finalOf = (commit: string) =>
    eventually(() => double.shown(commit).find(({ state }) => state !== 'pending'), { withinMs: 90_000 });
  try {
    await call('PUT', '/projects/shop', {
      gitUrl: shop.gitUrl,
      connection: { host: 'gitea', repository: 'ada/shop', apiUrl: double.apiUrl, previews: 'pullRequests' },
      frontend: { ...HOST_NODE, installCommand: '', buildCommand: 'node build.mjs', outputDirectory: 'dist' },
      backend: false,
    });
    await call('PUT', '/projects/shop/git-token', { token: RIGHT_TOKEN });
    const hook = await call<Hook>('POST', '/projects/shop/webhook');

    const first = await shop.push('main', site('one'));
    expect((await shop.tellPush(hook, first, 'not the secret')).status).toBe(401);
    expect(await shop.tellPush(hook, first)).toMatchObject({ status: 202, body: { status: 'accepted' } });
    const production = await deploymentOf(first.after);
    expect(production).toMatchObject({ status: 'succeeded', environment: 'production', trigger: { kind: 'push' } });
    const told = await finalOf(first.after);
    expect(told).toMatchObject({ state: 'success', context: 'veren/shop' });
    // What is served follows the success within a moment.
    await eventually(async () => (await (await fetch(told.url!)).text()) === 'one');

    const topic = await shop.push('topic', { 'index.html': 'two' });
    await shop.tellPush(hook, topic);
    await shop.tellPull(hook, 'opened', 5, { branch: 'topic', commit: topic.after });
    expect(await deploymentOf(topic.after)).toMatchObject({ status: 'succeeded', environment: 'preview' });
    const preview = await finalOf(topic.after);
    const commented = (text: string) => eventually(() => double.comments.find((one) => one.text.includes(text)));
    const comment = await commented('The preview is ready');
    expect(comment.text).toContain(preview.url!);
    expect(await deploymentsOf(topic.after)).toHaveLength(1);

    const broken = await shop.push('topic', { 'build.mjs': 'process.exit(3)\n' });
    await shop.tellPush(hook, broken);
    await shop.tellPull(hook, 'synchronized', 5, { branch: 'topic', commit: broken.after });
    expect(await deploymentOf(broken.after)).toMatchObject({ status: 'failed' });
    expect(await finalOf(broken.after)).toMatchObject({ state: 'failure' });
    expect((await commented('The deployment failed')).id).toBe(comment.id);

    await shop.tellPull(hook, 'closed', 5, { branch: 'topic', commit: broken.after });
    expect(
      (
        await eventually(() => double.comments.find(({ text }) => text.includes('The preview was removed')), {
          withinMs: 240_000,
        })
      ).id,
    ).toBe(comment.id);
    expect(double.comments).toHaveLength(1);
    const finals = double.statuses.filter(({ state }) => state !== 'pending').map(({ commit }) => commit);
    expect(finals).toEqual([first.after, topic.after, broken.after]);
    expect(platform.veren.logged.join('\n')).not.toContain(RIGHT_TOKEN);
  } finally {
    await shop.close();
  }
}, 600_000);

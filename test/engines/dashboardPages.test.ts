import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { makeRepositoryFromFolder } from '../../local/client/makeRepositoryFromFolder.ts';
import { CHROMIUM, openPage, seriousFaults, startBrowser, takeScreen, type WatchedPage } from '../support/browser.ts';
import { deployServer } from '../support/deployServer.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { eventually } from '../support/eventually.ts';
import { HOST_NODE, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

const PROJECT = 'shop';
const HOSTILE = '<img src=x onerror="window.hacked=1">';
const SERVER = `require('http').createServer((_, r) => r.end('greeting ' + process.env.GREETING)).listen(process.env.PORT);`;

describeWith(CHROMIUM ? tooSlow : 'no chromium on PATH', 'pages of the dashboard in a browser', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let veren: Veren;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  beforeAll(async () => {
    folder = await temporaryFolder();
    veren = await startVeren(join(folder.path, 'data'), { VEREN_CONTAINER_ENGINE: 'none' });
    await deployServer({ veren, folder: folder.path }, PROJECT, SERVER);
    browser = await startBrowser();
    watched = await openPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] });
    page = watched.page;
    page.setDefaultTimeout(20_000);
    const printed = veren.said.join('\n');
    await page.goto(`${veren.url}/dashboard/${/\/dashboard\/(#code=\S+)/.exec(printed)![1]}`);
    await page.getByRole('heading', { name: 'Projects', level: 1 }).waitFor();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    if (veren) expect(await veren.stop()).toBe(0);
    await folder?.remove();
  }, 60_000);

  const openTab = async (tab: string) => {
    await page.goto(`${veren.url}/dashboard/projects/${PROJECT}`);
    await page
      .getByRole('navigation', { name: `Project ${PROJECT}` })
      .getByRole('link', { name: tab })
      .click();
  };
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' });
  const confirmBy = (name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
  const row = (text: string) => page.getByRole('row', { name: text });

  it('sets, changes and removes variables, shows no secret, and releases with the current ones', async () => {
    await openTab('Variables');
    await button('Add a variable').click();
    await page.getByLabel('Name', { exact: true }).fill('API_KEY');
    await page.getByLabel('Value').fill('top-secret-value');
    await page.getByLabel(/^Secret:/).check();
    await button('Store').click();
    await row('API_KEY').getByText('secret', { exact: true }).waitFor();

    await button('Add from .env').click();
    await page
      .getByLabel('Lines of NAME=value')
      .fill(`# a comment\nexport GREETING="good day"\nMARKUP='${HOSTILE}'\nbad line`);
    await page.getByText('Line 4: is not NAME=value').waitFor();
    await page.getByLabel('Lines of NAME=value').fill(`GREETING="good day"\nMARKUP='${HOSTILE}'`);
    await page.getByLabel(/^Secret:/).uncheck();
    await button('Store 2 variables').click();
    await row('MARKUP').getByText(HOSTILE).waitFor();
    expect(await page.content()).not.toContain('top-secret-value');

    // A name that the platform refuses: the sentence is beside the field, and nothing is lost.
    await button('Add a variable').click();
    await page.getByLabel('Name', { exact: true }).fill('VEREN_KEY');
    await page.getByLabel('Value').fill('1');
    await button('Store').click();
    await page
      .getByRole('dialog')
      .getByText(/reserved/)
      .first()
      .waitFor();
    await page.keyboard.press('Escape');

    await page.getByText('Production runs with earlier variables').waitFor();
    await button('Release with the current variables').click();
    await page.getByText('is being started with the current variables').waitFor();
    const { service } = await veren.client.getDeployment(
      (await veren.client.getProject(PROJECT)).release!.deploymentId,
    );
    await eventually(async () => (await (await fetch(service!.url!)).text()) === 'greeting good day');

    await button('Remove API_KEY').click();
    await confirmBy('Remove');
    await row('API_KEY').waitFor({ state: 'detached' });
  }, 120_000);

  it('connects a repository, shows the secret once, and makes and revokes a deploy hook that deploys', async () => {
    await veren.call('PUT', '/projects/linked', { gitUrl: 'https://github.com/ada/shop.git' });
    await page.goto(`${veren.url}/dashboard/projects/linked/git`);
    await page.getByRole('textbox', { name: 'Repository' }).fill('ada/shop');
    await button('Connect').click();
    await page.getByText('/hooks/github/linked').waitFor();
    await page.getByText('Not made yet').waitFor();
    await button('Make the secret').click();
    const secret = await page.locator('.notice-ok code').textContent();
    expect(secret).toMatch(/^[\w-]{40,}$/);
    await button('Copy the secret').click();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(secret);
    await page.reload();
    await page.getByText('Made', { exact: true }).waitFor();
    expect(await page.content()).not.toContain(secret);

    await openTab('Git');
    await page.getByLabel('Name of the hook').fill('cms');
    await button('Make a deploy hook').click();
    const url = (await page.locator('.notice-ok code').textContent())!;
    expect((await fetch(url, { method: 'POST' })).status).toBe(202);
    await button('Revoke cms').click();
    await confirmBy('Revoke');
    await page.getByText('No deploy hooks yet.').waitFor();
    // What was revoked is not offered any more.
    expect(await page.content()).not.toContain(url);
    const refused = await fetch(url, { method: 'POST' });
    expect({ status: refused.status, ...((await refused.json()) as object) }).toMatchObject({
      ...{ status: 401, code: 'HOOK_REFUSED' },
    });
  }, 60_000);

  it('tells of an App, of watching and of what is wrong, and keeps both when the form is stored', async () => {
    await veren.call('PATCH', '/projects/linked', { connection: { app: true } });
    await page.goto(`${veren.url}/dashboard/projects/linked/git`);
    await page.getByText("Connected by the owner's GitHub App").waitFor();
    await page.getByLabel('Tags that go to production').fill('v*');
    await button('Store').click();
    await page.getByText('The connection is stored').waitFor();
    expect((await veren.client.getProject('linked')).settings.connection).toMatchObject({
      ...{ app: true, productionTags: 'v*' },
    });

    const gitUrl = pathToFileURL(join(folder.path, 'nowhere')).href;
    await veren.call('PUT', '/projects/watched', { gitUrl, productionBranch: 'main' });
    await page.goto(`${veren.url}/dashboard/projects/watched/git`);
    await page.getByLabel('Host', { exact: true }).selectOption('git');
    await page.getByRole('textbox', { name: 'Repository' }).fill('nowhere');
    expect(await page.getByLabel(/^Watch it/).isChecked()).toBe(true);
    await button('Connect').click();
    await page.getByText('looks at the repository every few seconds').waitFor();
    expect(await page.getByRole('heading', { name: 'Webhook' }).count()).toBe(0);
    await button('Store').click();
    await page.getByText('The connection is stored').first().waitFor();
    const { connection } = (await veren.client.getProject('watched')).settings;
    expect(connection).toMatchObject({ host: 'git', watch: true });
    await eventually(async () => (await veren.client.getProject('watched')).gitFaults !== undefined);
    await page.reload();
    await page.getByRole('alert').getByText('Something is wrong with the connection').waitFor();
    await veren.call('PATCH', '/projects/watched', { connection: null });
  }, 60_000);

  it('calls an uploaded folder one, and tells how long a toolchain was downloaded', async () => {
    const { deploymentId } = (await veren.client.getProject(PROJECT)).release!;
    const record = await veren.client.getDeployment(deploymentId);
    const at = new Date().toISOString();
    const backend = { ...record.builds.backend!, toolchain: { startedAt: at, finishedAt: at } };
    const json = { ...record, gitUrl: `upload:${'0'.repeat(64)}`, builds: { backend } };
    await page.route(`${veren.url}/deployments/${deploymentId}`, (route) => route.fulfill({ json }));
    await page.goto(`${veren.url}/dashboard/deployments/${deploymentId}`);
    await page.getByRole('heading', { name: /^Uploaded folder/, level: 1 }).waitFor();
    await page.getByRole('listitem').filter({ hasText: 'Start' }).getByText('0.0 s of it: toolchain').waitFor();
    expect(await page.getByRole('definition').filter({ hasText: 'Uploaded folder' }).count()).toBe(1);
    expect(await page.content()).not.toContain('upload:0');
    await page.unrouteAll({ behavior: 'wait' });
  });

  it('says so where a page breaks, and the other pages go on', async () => {
    await page.route(`${veren.url}/projects/*/domains`, (route) => route.fulfill({ json: { domains: [{}] } }));
    await page.goto(`${veren.url}/dashboard/projects/${PROJECT}/domains`);
    await page.getByRole('alert').getByText('The page could not be shown').waitFor();
    expect(watched.faults.splice(0)).toHaveLength(1);
    await page.unrouteAll({ behavior: 'wait' });
    await page.getByRole('link', { name: 'All projects' }).click();
    await page.getByRole('heading', { name: 'Projects', level: 1 }).waitFor();
    await page.goBack();
    await page.getByText('No domains of your own').waitFor();
  });

  it('adds a domain, tells what is to be entered and how far it is, and removes it', async () => {
    await openTab('Domains');
    await page.getByLabel('Add a domain').fill('not a name');
    await button('Add').click();
    await page.getByRole('alert').first().waitFor();
    await page.getByLabel('Add a domain').fill('www.shop.example');
    await button('Add').click();
    await page.getByRole('region', { name: 'www.shop.example' }).waitFor();
    const { domains } = await veren.call<{ domains: { name: string }[] }>('GET', `/projects/${PROJECT}/domains`);
    expect(domains.map(({ name }) => name)).toEqual(['www.shop.example']);
    await button('Check again www.shop.example').click();
    await button('Remove www.shop.example').click();
    await confirmBy('Remove');
    await page.getByText('No domains of your own').waitFor();

    // A laptop asks no DNS, so the answer of a stage that waits for it is put in its place.
    const at = new Date().toISOString();
    const dns = [{ type: 'CNAME', name: 'www.shop.example', value: 'd1.cloudfront.net' }];
    const waiting = { name: 'www.shop.example', projectId: PROJECT, status: 'pending-dns', dns, addedAt: at };
    const answer = {
      projectId: PROJECT,
      domains: [{ ...waiting, checkedAt: at, problem: `No record yet ${HOSTILE}` }],
    };
    await page.route(`${veren.url}/projects/*/domains`, (route) => route.fulfill({ json: answer }));
    await page.reload();
    await page.getByText('Waits for its DNS records').waitFor();
    await page.getByText(HOSTILE).waitFor();
    await row('CNAME').getByRole('button', { name: 'Copy the value' }).click();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('d1.cloudfront.net');
    await page.unrouteAll({ behavior: 'wait' });
  });

  it('changes settings and nothing else, and deletes a project only by its name', async () => {
    await openTab('Settings');
    const before = (await veren.client.getProject(PROJECT)).settings;
    await page.getByLabel('Days that previews are kept').fill('x');
    await button('Store the settings').click();
    await page.getByRole('alert').first().waitFor();
    await page.getByLabel('Days that previews are kept').fill('12');
    await button('Store the settings').click();
    await page.getByText('The settings are stored').waitFor();
    expect((await veren.client.getProject(PROJECT)).settings).toEqual({
      ...before,
      previews: { keepDays: 12 },
    });
    await veren.call('PUT', '/projects/old', {});
    await page.goto(`${veren.url}/dashboard/projects/old/settings`);
    await button('Delete old').click();
    const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete the project' });
    expect(await confirm.isDisabled()).toBe(true);
    await page.getByLabel('Type old to go on').fill('old');
    await confirm.click();
    await page.getByText('This project is being deleted').waitFor();
    await button('Take the deletion back').click();
    await button('Delete old').waitFor();
  });

  it('adds people, makes a limited token that works within its limits, and revokes it', async () => {
    await page.goto(`${veren.url}/dashboard/people`);
    await page.getByLabel('Name', { exact: true }).fill('ada');
    await button('Add the member').click();
    await page.getByLabel('Role of ada').selectOption('viewer');
    await button('Make a token').click();
    await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('ci of shop');
    await page.getByLabel('Only for projects').fill(PROJECT);
    await button('Make').click();
    const token = (await page.locator('.notice-ok code').textContent())!;
    const ask = async (path: string) =>
      (await fetch(veren.url + path, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await ask(`/projects/${PROJECT}`), await ask('/projects/old'), await ask('/tokens')]).toEqual([
      200, 404, 403,
    ]);
    await button('I have kept it').click();
    await page.reload();
    await row('ci of shop').getByText('deploy').waitFor();
    expect(await page.content()).not.toContain(token);
    await button('Revoke ci of shop').click();
    await confirmBy('Revoke');
    await row('ci of shop').waitFor({ state: 'detached' });
    expect(await ask(`/projects/${PROJECT}`)).toBe(401);

    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByText('token.revoke').or(page.getByText('token.delete')).first().waitFor();
    expect(await page.content()).not.toContain(token);
  });

  it('takes a token that is still shown away with its member, from the list, the page and the count', async () => {
    await page.goto(`${veren.url}/dashboard/people`);
    await button('Make a token').click();
    await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('tablet');
    await page.getByRole('dialog').getByLabel('Member').selectOption('ada');
    await button('Make').click();
    const shown = (await page.locator('.notice-ok code').textContent())!;
    await row('tablet').waitFor();
    const count = (title: string) => page.locator('.meter', { hasText: title }).locator('.meter-used');
    await count('Tokens').getByText('1', { exact: true }).waitFor();
    expect(Number(await count('Requests in this minute').textContent())).toBeGreaterThan(5);
    expect(Number(await count('Deployments in this hour').textContent())).toBeGreaterThan(0);
    await button('Remove ada').click();
    await confirmBy('Remove');
    await row('tablet').waitFor({ state: 'detached' });
    await count('Tokens').getByText('0', { exact: true }).waitFor();
    await count('Members').getByText('0', { exact: true }).waitFor();
    expect(await page.content()).not.toContain(shown);
  });

  it('shows what runs and what waits, and cancels it', async () => {
    const source = join(folder.path, 'slow');
    mkdirSync(source);
    writeFileSync(join(source, 'package.json'), JSON.stringify({ name: 'slow', private: true }));
    writeFileSync(join(source, 'build.mjs'), 'setTimeout(() => undefined, 600_000);');
    const { url: gitUrl } = await makeRepositoryFromFolder(source, join(folder.path, 'slow-repository'));
    const frontend = { ...HOST_NODE, installCommand: '', buildCommand: 'node build.mjs', outputDirectory: 'dist' };
    const { deploymentId } = await veren.client.createDeployment({ projectId: 'slow', gitUrl, frontend });
    await page.goto(`${veren.url}/dashboard/queue`);
    const build = row('slow').filter({ hasText: 'Build the frontend' });
    await build.getByText('Running').waitFor({ timeout: 60_000 });
    await button('Cancel the deployment of slow').click();
    await confirmBy('Cancel it');
    await page.getByText('Nothing runs and nothing waits').waitFor({ timeout: 60_000 });
    expect((await veren.finished(deploymentId)).status).toBe('canceled');
  }, 200_000);

  it('renders the reference out of its own files, with Markdown as Markdown', async () => {
    const reference = await openPage(browser);
    await reference.page.goto(`${veren.url}/docs`);
    await reference.page.getByRole('button', { name: /The log, in pages or followed/ }).click();
    await reference.page.locator('.opblock-description code', { hasText: 'follow=true' }).waitFor();
    expect(await reference.page.locator('.opblock-description').innerText()).not.toContain('`');
    expect([reference.faults, [...reference.origins]]).toEqual([[], [veren.url]]);
    await reference.page.context().close();
  });

  describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
    it.each([
      ['variables', `/dashboard/projects/${PROJECT}/variables`],
      ['git', '/dashboard/projects/linked/git'],
      ['domains', `/dashboard/projects/${PROJECT}/domains`],
      ['settings', `/dashboard/projects/${PROJECT}/settings`],
      ['queue', '/dashboard/queue'],
      ['people', '/dashboard/people'],
      ['audit', '/dashboard/audit'],
      ['reference', '/docs'],
    ])(
      '%s has no serious fault, wide and at 360 px',
      async (name, path) => {
        await page.emulateMedia({ colorScheme });
        for (const width of [1280, 360]) {
          await page.setViewportSize({ width, height: 900 });
          await page.goto(veren.url + path);
          await page.locator('h1').first().waitFor();
          await page.waitForLoadState('networkidle');
          await page.locator('.loading').waitFor({ state: 'detached' });
          expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
          await takeScreen(page, `${name}-${colorScheme}-${width}`, name !== 'reference');
          if (width === 1280) expect(await seriousFaults(page)).toEqual([]);
        }
      },
      60_000,
    );
  });

  it('broke no policy and asked no other host meanwhile', async () => {
    expect(watched.faults).toEqual([]);
    expect([...watched.origins]).toEqual([veren.url]);
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
  });
});

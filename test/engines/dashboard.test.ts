import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { CHROMIUM, openPage, seriousFaults, startBrowser, takeScreen, type WatchedPage } from '../support/browser.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { eventually } from '../support/eventually.ts';
import { tcpProxy } from '../support/tcpProxy.ts';
import { startVeren, temporaryFolder, type Veren } from '../support/veren.ts';
import { HOSTILE, LINES, repositoryOfSites, talkativeRepository } from './dashboardRepository.ts';

const PROJECT = 'talk';
/** A build on a busy machine. */
const BUILD_MS = 180_000;

describeWith(CHROMIUM ? tooSlow : 'no chromium on PATH', 'the dashboard in a browser', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let veren: Veren;
  let proxy: Awaited<ReturnType<typeof tcpProxy>>;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;
  let repository: ReturnType<typeof talkativeRepository>;
  /** Deployments by what became of them. */
  const ids: Record<'first' | 'second' | 'broken' | 'slow', string> = { first: '', second: '', broken: '', slow: '' };

  beforeAll(async () => {
    folder = await temporaryFolder();
    repository = talkativeRepository(join(folder.path, 'talk'));
    veren = await startVeren(join(folder.path, 'data'));
    proxy = await tcpProxy(veren.url);
    browser = await startBrowser();
    watched = await openPage(browser);
    page = watched.page;
    page.setDefaultTimeout(30_000);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await proxy?.close();
    if (veren) expect(await veren.stop()).toBe(0);
    await folder?.remove();
  }, 60_000);

  const heading = (name: string | RegExp) => page.getByRole('heading', { name, level: 1 });
  const state = (text: string) => page.locator('.page-head .tag', { hasText: text });
  const openedDeployment = async () => {
    await page.waitForURL(/\/dashboard\/deployments\/\w+/);
    return /deployments\/(\w+)/.exec(page.url())![1]!;
  };
  const deploy = async (ref: string, environment = '') => {
    await page.goto(`${proxy.url}/dashboard/deploy?project=${PROJECT}`);
    await page.getByLabel('Branch, tag or commit').fill(ref);
    if (environment) await page.getByLabel('Environment').selectOption(environment);
    await page.getByRole('button', { name: 'Deploy', exact: true }).click();
    return openedDeployment();
  };
  const served = async () => {
    const { release } = await veren.client.getProject(PROJECT);
    const record = await veren.client.getDeployment(release!.deploymentId);
    const artifact = record.builds.frontend!.artifact as { url: string };
    return (await fetch(artifact.url)).text();
  };

  it('is opened, signed in, by the address that the start has printed, once', async () => {
    const printed = veren.said.join('\n');
    const hash = /\/dashboard\/(#code=\S+)/.exec(printed)![1];
    await page.goto(`${proxy.url}/dashboard/${hash}`);
    await heading('Projects').waitFor();
    expect(page.url()).toBe(`${proxy.url}/dashboard/`);

    const other = await openPage(browser);
    await other.page.goto(`${proxy.url}/${hash}`);
    await other.page.getByText('was used before').waitFor();
    await other.page.getByLabel('Token').fill('wrong');
    await other.page.keyboard.press('Enter');
    await other.page.getByRole('alert').getByText('does not know this token').waitFor();
    await other.page.getByLabel('Token').fill(veren.token);
    await other.page.keyboard.press('Enter');
    await other.page.getByRole('heading', { name: 'Projects', level: 1 }).waitFor();
    // Not kept beyond the tab, since it was not asked for.
    expect(await other.page.evaluate(`localStorage.getItem('veren.token')`)).toBeNull();
    expect(other.faults).toEqual([]);
    await other.page.context().close();
  });

  it('deploys what the form says, and follows it through broken connections without losing a line', async () => {
    await page.getByRole('link', { name: 'Deploy a repository' }).click();
    await page.getByLabel('Git URL').fill(repository.url);
    await page.getByRole('button', { name: 'Deploy', exact: true }).click();
    ids.first = await openedDeployment();

    const lines = page.locator('.log-text');
    for (const quarter of [1, 2, 3]) {
      await lines.filter({ hasText: new RegExp(`^step ${(LINES / 4) * quarter}$`) }).waitFor({ timeout: BUILD_MS });
      proxy.breakAll();
    }
    await state('Ready').waitFor({ timeout: BUILD_MS });
    await page.locator('.log', { hasText: 'Complete' }).waitFor();
    await page.getByText('Live in production').waitFor();

    const written = (await veren.logs(ids.first)).map(({ line }) => line);
    const shown = await lines.allTextContents();
    expect(shown).toHaveLength(written.length);
    expect(shown.filter((line) => /^step \d+$/.test(line))).toEqual(
      Array.from({ length: LINES }, (_, i) => `step ${i + 1}`),
    );
    // Colours are looks, what a terminal would obey is gone, and markup is text.
    expect(shown).toContain('green and plain txet');
    expect(await page.locator('.ansi-color-2').allTextContents()).toEqual(['green']);
    expect(shown).toContain(HOSTILE);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
  }, 600_000);

  it('says who has asked for it and by what, and lists its files with their sizes', async () => {
    const fact = (title: string) => page.locator('.facts > div', { hasText: title }).locator('dd');
    expect(await fact('Asked for by').textContent()).toBe('laptop, in the dashboard');
    await page.getByText('1 file,').last().click();
    const file = page.getByRole('row', { name: 'index.html' });
    await file.getByText(`${'<h1>first</h1>'.length} B`).waitFor();
    const link = await file.getByRole('link').getAttribute('href');
    expect(link).toMatch(/^http:\/\/[a-z0-9]+--talk\.localhost:\d+\/index\.html$/);
    await page.getByLabel('Order').selectOption('By name');
    await file.waitFor();
  });

  it('deploys a project again from where it was deployed before, and shows that for change', async () => {
    const url = repositoryOfSites(join(folder.path, 'sites'));
    await page.goto(`${proxy.url}/dashboard/deploy`);
    await page.getByLabel('Git URL').fill(url);
    await page.getByText('More', { exact: true }).click();
    await page.getByLabel('Folder of the frontend').fill('docs');
    await page.getByRole('button', { name: 'Deploy', exact: true }).click();
    const first = await openedDeployment();
    await state('Ready').waitFor({ timeout: BUILD_MS });
    await page.getByText('Live in production').waitFor();

    await page.goto(`${proxy.url}/dashboard/projects/sites`);
    await page.getByRole('link', { name: 'Deploy', exact: true }).click();
    expect(await page.getByLabel('Folder of the frontend').inputValue()).toBe('docs');
    expect(await page.getByLabel('Git URL').inputValue()).toBe(url);
    await page.getByRole('button', { name: 'Deploy', exact: true }).click();
    await page.waitForURL((now) => now.pathname.includes('/deployments/') && !now.pathname.endsWith(first));
    const second = await veren.finished(await openedDeployment());
    // Equal to the one before, which production serves; the page says so.
    await page.getByText('and production serves it').waitFor();
    await page.getByText('Live in production').waitFor();
    expect([second.status, second.plan?.frontend?.path, second.environment]).toEqual([
      'succeeded',
      'docs',
      'production',
    ]);
  }, 400_000);

  it('finds lines, points at one by its address, and saves the log', async () => {
    await page.goto(`${proxy.url}/dashboard/deployments/${ids.first}`);
    await page.getByLabel('Search in the log').fill('STEP 12');
    await page.getByText('11 lines').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('1 of 11').waitFor();
    await page.keyboard.press('Shift+Enter');
    await page.getByText('11 of 11').waitFor();
    const chosen = await page.locator('.log-chosen .log-text').textContent();
    expect(chosen).toBe('step 129');

    const address = page.url();
    expect(address).toMatch(/#L\d+$/);
    await page.goto('about:blank');
    await page.goto(address);
    await page.locator('.log-chosen', { hasText: 'step 129' }).waitFor();
    expect(await page.evaluate(IS_IN_VIEW)).toBe(true);

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${PROJECT}-${ids.first}.log`);
  });

  it('goes on by polling where no WebSocket can be had, and says so', async () => {
    await page.route('**/tickets', (route) => route.abort());
    repository.commitAgain();
    ids.second = await deploy('main');
    await page.getByText('The live connection is lost').waitFor();
    await state('Ready').waitFor({ timeout: BUILD_MS });
    await page.getByText('Live in production').waitFor({ timeout: BUILD_MS });
    await page.unroute('**/tickets');
    await page.getByText('The live connection is lost').waitFor({ state: 'hidden', timeout: 40_000 });
    expect(await served()).toContain('second');
  }, 600_000);

  it('shows a failure before everything else', async () => {
    ids.broken = await deploy('broken');
    const failure = page.getByRole('alert').filter({ hasText: 'The frontend failed in phase "build"' });
    await failure.waitFor({ timeout: BUILD_MS });
    await state('Failed').waitFor();
    expect(await failure.textContent()).toContain('cannot find the flux');
    expect(await failure.textContent()).toContain('exit code 3');
    const [top, log] = await Promise.all([failure.boundingBox(), page.locator('.log').boundingBox()]);
    expect(top!.y).toBeLessThan(log!.y);
  }, 600_000);

  it('cancels what runs', async () => {
    ids.slow = await deploy('slow');
    await page.locator('.log-text', { hasText: 'sleeping' }).waitFor({ timeout: BUILD_MS });
    await page.getByRole('button', { name: 'Cancel' }).click();
    await state('Canceled').waitFor();
    expect((await veren.client.getDeployment(ids.slow)).status).toBe('canceled');
    await page.getByRole('button', { name: 'Redeploy' }).waitFor();
  }, 600_000);

  it('rolls production back and promotes again, after it has asked', async () => {
    await page.goto(`${proxy.url}/dashboard/projects/${PROJECT}/releases`);
    const back = page.getByRole('button', { name: 'Roll back', exact: true });
    await back.click();
    await page.keyboard.press('Escape');
    // The focus is where it was.
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Roll back');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await page
      .locator('tr', { hasText: ids.first })
      .filter({ hasText: 'Live' })
      .filter({ hasText: 'rolled back' })
      .waitFor();
    await eventually(async () => (await served()).includes('first'));

    await page.getByRole('button', { name: 'Pin this release' }).click();
    await page.getByText('are not released by themselves').waitFor();
    await page.getByRole('button', { name: 'Unpin' }).click();
    await page.getByText('are not released by themselves').waitFor({ state: 'hidden' });

    await page.goto(`${proxy.url}/dashboard/deployments/${ids.second}`);
    await page.getByRole('button', { name: 'Promote to production' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Promote' }).click();
    await page.getByText('Live in production').waitFor();
    await eventually(async () => (await served()).includes('second'));
  }, 120_000);

  it('brings the list of projects up to date by itself', async () => {
    await page.goto(`${proxy.url}/dashboard/`);
    const card = page.locator('.project-card', { hasText: PROJECT });
    await card.getByText('Canceled').waitFor();
    const { deploymentId } = await veren.client.createDeployment({ projectId: PROJECT, ref: 'broken' });
    await card.getByText('Failed').waitFor({ timeout: BUILD_MS });
    expect((await veren.finished(deploymentId)).status).toBe('failed');
  }, 200_000);

  it('redeploys, and says which branch is served, at which commit, and what it repeats', async () => {
    await page.goto(`${proxy.url}/dashboard/deployments/${ids.second}`);
    await page.getByRole('button', { name: 'Redeploy' }).click();
    await page.waitForURL((now) => !now.pathname.endsWith(ids.second));
    const again = await veren.finished(await openedDeployment());
    expect(again).toMatchObject({ status: 'succeeded', redeployOf: ids.second, ref: again.commit });
    await page.goto(`${proxy.url}/dashboard/projects/${PROJECT}`);
    const serves = page.locator('.facts > div', { hasText: 'Serves' }).locator('dd');
    const commit = again.commit!.slice(0, 7);
    await serves.getByText(`main ${commit}`).waitFor();
    expect(await serves.textContent()).toBe(`main ${commit} redeploy of …${ids.second.slice(-6)}`);
  }, 400_000);

  it('has no serious fault for who uses it by ear or keyboard, and nothing wider than a phone', async () => {
    const token = veren.token;
    const nameOf = (path: string) => path.slice(1).replaceAll(/\W+/g, '-') || 'projects';
    const pages = [
      '/',
      '/deploy',
      `/deploy?project=${PROJECT}`,
      `/projects/${PROJECT}`,
      `/projects/${PROJECT}/releases`,
      `/deployments/${ids.first}`,
      `/deployments/${ids.broken}`,
      `/deployments/${ids.slow}`,
      '/nowhere',
    ];
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 1280],
      ['dark', 360],
    ] as const) {
      const { page: plain, faults } = await openPage(browser, { colorScheme, viewport: { width, height: 760 } });
      await plain.goto(`${veren.url}/dashboard/`);
      expect({ path: 'sign in', colorScheme, found: await seriousFaults(plain) }).toEqual({
        path: 'sign in',
        colorScheme,
        found: [],
      });
      await plain.evaluate(`localStorage.setItem('veren.token', '${token}')`);
      for (const path of pages) {
        await plain.goto(`${veren.url}/dashboard${path}`);
        await plain.locator('main').waitFor();
        await eventually(async () => (await plain.locator('.loading').count()) === 0);
        if (path.includes('deployments/')) await plain.getByText('Complete').waitFor();
        for (const summary of await plain.locator('summary').all()) await summary.click();
        await takeScreen(plain, `${nameOf(path)}-${colorScheme}-${width}`);
        const found = await seriousFaults(plain);
        const tooWide = await plain.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect({ path, colorScheme, width, found, tooWide }).toEqual({
          path,
          colorScheme,
          width,
          found: [],
          tooWide: 0,
        });
      }
      expect(faults).toEqual([]);
      await plain.context().close();
    }
  }, 400_000);

  it('has asked its own origin only, and no exception was thrown', () => {
    expect([...watched.origins]).toEqual([proxy.url]);
    expect(watched.faults).toEqual([]);
  });
});

/** In the browser: whether the chosen line is in what its box shows. */
const IS_IN_VIEW = `(() => {
  const line = document.querySelector('.log-chosen');
  const [own, box] = [line, line.closest('.log-box')].map((element) => element.getBoundingClientRect());
  return own.top >= box.top && own.bottom <= box.bottom;
})()`;

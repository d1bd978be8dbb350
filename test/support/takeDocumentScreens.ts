import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRepositoryFromFolder } from '../../local/client/makeRepositoryFromFolder.ts';
import { openPage, startBrowser } from './browser.ts';
import { exampleRepository, HOST_NODE, ROOT, startVeren, temporaryFolder } from './veren.ts';

/**
 * Takes the two pictures of the documents anew (`npm run screens`): the list of projects, and a deployment. Needs Chromium, and
 * npm's registry for the example. What is seen is a platform of its own with real deployments; only the addresses of
 * their repositories, which are in a temporary folder, are shown as if they were on a git host.
 */
const OUT = join(ROOT, 'docs/images');
const MAX_BYTES = 150_000;

const folder = await temporaryFolder();
const veren = await startVeren(join(folder.path, 'data'));
const browser = await startBrowser();
try {
  const { deploymentId } = await veren.deploy({
    ...{ projectId: 'shop', gitUrl: await exampleRepository('react-vite', folder.path) },
    frontend: HOST_NODE,
  });
  for (const [projectId, build] of [
    ['docs', 'mkdir dist && echo "<h1>Docs</h1>" > dist/index.html'],
    ['blog', 'echo "Error: Cannot find module \'./posts.json\'" >&2; exit 1'],
  ] as const) {
    const source = join(folder.path, `${projectId}-source`);
    mkdirSync(source);
    writeFileSync(join(source, 'package.json'), JSON.stringify({ name: projectId, private: true }));
    const { url: gitUrl } = await makeRepositoryFromFolder(source, join(folder.path, projectId));
    const frontend = { ...HOST_NODE, installCommand: '', buildCommand: build, outputDirectory: 'dist' };
    await veren.deploy({ projectId, gitUrl, frontend });
  }
  const { page } = await openPage(browser, { viewport: { width: 1_000, height: 440 }, colorScheme: 'light' });
  page.setDefaultTimeout(120_000);
  await page.route(
    ({ pathname }) => /^\/(projects|deployments)/.test(pathname),
    async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replaceAll(`file://${folder.path}/`, 'https://github.com/ada/');
      await route.fulfill({ response, body });
    },
  );
  await page.goto(`${veren.url}/dashboard/`);
  await page.evaluate(`sessionStorage.setItem('veren.token', '${veren.token}')`);
  await page.goto(`${veren.url}/dashboard/`);
  await page.locator('.project-card', { hasText: 'blog' }).getByText('Failed').waitFor();
  await save('dashboard-projects');
  await page.setViewportSize({ width: 1_000, height: 900 });
  await page.goto(`${veren.url}/dashboard/deployments/${deploymentId}`);
  await page.getByText('Complete').waitFor();
  await save('dashboard-deployment');
  // A request that is still under way would fail with the browser's end.
  await page.unrouteAll({ behavior: 'ignoreErrors' });

  async function save(name: string): Promise<void> {
    mkdirSync(OUT, { recursive: true });
    const path = join(OUT, `${name}.png`);
    await page.screenshot({ path });
    const { size } = statSync(path);
    console.log(`${path}: ${size} bytes`);
    if (size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`);
  }
} finally {
  await browser.close();
  await veren.stop();
  await folder.remove();
}

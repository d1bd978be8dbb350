import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { makeRepositoryFromFolder } from '../../local/client/makeRepositoryFromFolder.ts';
import { CHROMIUM, startBrowser } from '../support/browser.ts';
import { describeWith } from '../support/engines.ts';
import { pageBeside } from '../support/pageBeside.ts';
import { tcpProxy } from '../support/tcpProxy.ts';
import { HOST_NODE, startVeren, temporaryFolder } from '../support/veren.ts';

const LINES = 300;
const PAGE = join(__dirname, '../support/followPage.html');

describeWith(CHROMIUM ? null : 'no chromium on PATH', 'a page in a browser', () => {
  it('follows a deployment through dropped connections and shows every line once', async () => {
    const folder = await temporaryFolder();
    const veren = await startVeren(join(folder.path, 'data'));
    // The API and the page have one origin: the API does not answer pages of others.
    const site = await pageBeside(veren.url, await readFile(PAGE, 'utf8'));
    const proxy = await tcpProxy(site.url);
    const browser = await startBrowser();
    try {
      const gitUrl = await talkativeRepository(folder.path);
      const frontend = { ...HOST_NODE, installCommand: '', buildCommand: 'node build.mjs', outputDirectory: 'dist' };
      const { deploymentId } = await veren.client.createDeployment({ projectId: 'talk', gitUrl, frontend });

      const page = await browser.newPage();
      await page.goto(`${proxy.url}/watch#id=${deploymentId}&token=${veren.token}`);
      for (const quarter of [1, 2, 3]) {
        await page
          .locator('li')
          .nth((LINES / 4) * quarter)
          .waitFor();
        proxy.breakAll();
      }
      await page.locator('#end:not(:empty)').waitFor();
      expect(await veren.finished(deploymentId)).toMatchObject({ status: 'succeeded' });
      await page.locator('#status', { hasText: 'succeeded' }).waitFor({ timeout: 5_000 });

      const lines = (await veren.logs(deploymentId)).map((l) => l.line);
      expect(lines.filter((l) => l.startsWith('step '))).toHaveLength(LINES);
      expect(await page.locator('li').allTextContents()).toEqual(lines);
      expect(await page.locator('#end').textContent()).toBe('succeeded');
      const { connections, statuses } = await seen(page);
      expect(connections.events).toBeGreaterThanOrEqual(4);
      expect(connections.socket).toBeGreaterThanOrEqual(4);
      expect(statuses.slice(-2)).toEqual(['building', 'succeeded']);
    } finally {
      await browser.close();
      await proxy.close();
      await site.close();
      expect(await veren.stop()).toBe(0);
      await folder.remove();
    }
  }, 60_000);
});

const seen = (page: Page) =>
  page.evaluate(() => {
    const { connections, statuses } = globalThis as unknown as {
      connections: { events: number; socket: number };
      statuses: string[];
    };
    return { connections, statuses };
  });

/** A site whose build prints for some seconds. */
async function talkativeRepository(folder: string): Promise<string> {
  const source = join(folder, 'source');
  await mkdir(source);
  await writeFile(join(source, 'package.json'), JSON.stringify({ name: 'talk', private: true }));
  await writeFile(
    join(source, 'build.mjs'),
    `import { mkdirSync, writeFileSync } from 'node:fs';
    for (let i = 0; i < ${LINES}; i++) {
      console.log('step ' + i + ' ' + '\u00e4'.repeat(i % 50));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    mkdirSync('dist');
    writeFileSync('dist/index.html', 'done');`,
  );
  return (await makeRepositoryFromFolder(source, join(folder, 'talk'))).url;
}

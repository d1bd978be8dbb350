import { createServer } from 'node:http';
import type { Browser } from 'playwright-core';
import { buildDashboard, type DashboardFile, LAPTOP_PLACES } from '../dashboard/build.ts';
import { openDashboard } from '../local/dashboard/serveDashboard.ts';
import { createStartCode } from '../local/dashboard/startCode.ts';
import { CHROMIUM, startBrowser } from '../test/support/browser.ts';
import { median, timed } from './_stats.ts';

const GOAL_BYTES = 150_000;
const RUNS = 7;
const TOKEN = 'bench';

/**
 * The dashboard: how long bundling takes, what each file weighs, and when Chromium first paints and shows the list of
 * projects, without anything in its cache. The baseline is a page of one sentence, from the same server in the same run.
 */
export async function run(): Promise<void> {
  const builds: number[] = [];
  for (let i = 0; i < RUNS; i++) builds.push(await timed(() => buildDashboard(LAPTOP_PLACES)));
  const { page, assets, first } = await buildDashboard(LAPTOP_PLACES);
  console.log(`bundled in ${(median(builds) * 1_000).toFixed(0)} ms (median of ${RUNS})\n`);
  const row = ({ path, body, gzipped }: DashboardFile, when: string) =>
    console.log(path.padEnd(40), `${body.length}`.padStart(8), `${gzipped.length}`.padStart(8), when);
  console.log('file'.padEnd(40), 'bytes'.padStart(8), 'gzip'.padStart(8));
  row(page, 'first');
  for (const asset of assets.toSorted((a, b) => b.gzipped.length - a.gzipped.length))
    row(asset, first.includes(asset.path) ? 'first' : '');
  const firstLoad = [page, ...assets.filter(({ path }) => first.includes(path))];
  const bytes = firstLoad.reduce((sum, { gzipped }) => sum + gzipped.length, 0);
  console.log(`\nfirst load: ${bytes} bytes compressed; goal: below ${GOAL_BYTES}`);
  if (CHROMIUM === null) return console.log('first paint: not measured, there is no chromium on PATH');
  await measurePaint();
}

async function measurePaint(): Promise<void> {
  const { serve, ready } = openDashboard(createStartCode(TOKEN, { now: Date.now }), console.error);
  await ready;
  const server = createServer((request, response) => {
    if (request.url === '/plain') response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>A sentence.</p>');
    else if (!serve(request, response)) response.writeHead(200).end(JSON.stringify(answerTo(request.url ?? '')));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const browser = await startBrowser();
  const paints: { plain: number; paint: number; list: number }[] = [];
  for (let i = 0; i < RUNS; i++)
    paints.push({
      plain: (await look(browser, `${origin}/plain`, 'p')).paint,
      ...(await look(browser, `${origin}/dashboard/`, '.project-card')),
    });
  await browser.close();
  server.close();
  const middle = (key: 'plain' | 'paint' | 'list') => median(paints.map((paint) => paint[key]));
  const told = (name: string, ms: number) =>
    console.log(`${name}: ${ms.toFixed(0)} ms, ${(ms / middle('plain')).toFixed(2)} of a page of one sentence`);
  told('first paint', middle('paint'));
  told('list of projects shown', middle('list'));
}

/** Milliseconds from the navigation to the first contentful paint, and until the element is there. */
async function look(browser: Browser, url: string, selector: string): Promise<{ paint: number; list: number }> {
  const context = await browser.newContext();
  await context.addInitScript(`localStorage.setItem('veren.token', '${TOKEN}')`);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator(selector).first().waitFor();
  const times = await page.evaluate<{ paint: number; list: number }>(
    `({ list: performance.now(), paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now() })`,
  );
  await context.close();
  return times;
}

/** As the API answers of one project. */
function answerTo(path: string): object {
  const at = new Date().toISOString();
  if (path === '/whoami') return { owner: 'bench', name: 'bench', scope: 'admin' };
  if (path.startsWith('/projects'))
    return { items: [{ projectId: 'site', createdAt: at, updatedAt: at, settings: {}, release: null, pinned: null }] };
  return path === '/tickets' ? { ticket: 'x', expiresAt: at } : { items: [] };
}

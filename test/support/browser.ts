import { join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onPath } from './engines.ts';

export const CHROMIUM = onPath('chromium');

/** Headless, and with nothing that would look for a network. */
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const startBrowser = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM!, args: ARGS });

/** Pictures for who looks at them, into the folder that VEREN_SCREENS names; not part of a test, and without it nothing. */
export async function takeScreen(page: Page, name: string, fullPage = true): Promise<void> {
  const folder = process.env.VEREN_SCREENS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
}

export interface WatchedPage {
  readonly page: Page;
  /** Exceptions, errors of the console and refusals of the content security policy. */
  readonly faults: string[];
  /** Origins that were asked for anything. */
  readonly origins: Set<string>;
}

/** A page of a context of its own, and what must not happen in it. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const page = await (await browser.newContext(options)).newPage();
  const faults: string[] = [];
  const origins = new Set<string>();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // A connection that a test breaks is told here by the browser itself.
    if (message.type() === 'error' && !/^Failed to load resource|WebSocket connection to/.test(message.text()))
      faults.push(message.text());
  });
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  return { page, faults, origins };
}

/** What axe-core finds on the page as it is now: serious and critical faults, with the elements that have them. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} (${failureSummary})`).join('\n')}`,
    );
}

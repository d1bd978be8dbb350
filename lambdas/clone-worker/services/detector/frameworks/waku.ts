import type { FrameworkRules } from '../framework.ts';
import { serverRendering } from '../frameworkSettings.ts';

/** https://waku.gg: static only where every page is, which nothing says in advance. */
export const waku: FrameworkRules = {
  slug: 'waku',
  rows: [
    {
      name: 'Waku',
      dependencies: ['waku'],
      buildCommand: 'waku build',
      outputDirectory: 'dist/public',
      supersedes: ['vite'],
    },
  ],
  rendering: () =>
    serverRendering({ start: 'npx waku start', rule: 'Waku has a server', remedy: 'Give "frontend.outputDirectory"' }),
};

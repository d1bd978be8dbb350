import type { FrameworkRules } from '../framework.ts';
import { serverRendering } from '../frameworkSettings.ts';

/** https://docs.redwoodjs.com/docs/deployment/introduction */
export const redwoodjs: FrameworkRules = {
  slug: 'redwoodjs',
  // The library's row deploys to another host. Source: https://docs.redwoodjs.com/docs/cli-commands#build
  buildCommand: 'rw build',
  signFiles: ['redwood.toml'],
  rendering: () =>
    serverRendering({
      start: 'yarn rw serve',
      rule: 'Redwood has a server side',
      remedy: 'Deploy its folder "web" by itself',
    }),
};

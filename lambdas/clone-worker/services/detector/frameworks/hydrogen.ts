import type { FrameworkRules } from '../framework.ts';
import { serverRendering } from '../frameworkSettings.ts';

/** https://shopify.dev/docs/storefronts/headless/hydrogen/deployments */
export const hydrogen: FrameworkRules = {
  slug: 'hydrogen',
  rendering: () =>
    serverRendering({
      rule: 'Hydrogen renders on a server',
      remedy: 'Deploy it to a host for Hydrogen: it has no static export',
    }),
};

import type { FrameworkRules } from '../framework.ts';

/** Svelte without a framework, as its earlier template had it: built by Rollup. */
export const svelte: FrameworkRules = {
  slug: 'svelte',
  bundles: true,
};

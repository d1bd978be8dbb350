import type { FrameworkRules } from '../framework.ts';

export const brunch: FrameworkRules = {
  slug: 'brunch',
  bundles: true,
};

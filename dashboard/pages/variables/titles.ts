import type { Environment } from '../../../contract/lanes.ts';
import type { SeenBy } from '../../../contract/project-variables.ts';

export const ENVIRONMENT_TITLES: Readonly<Record<Environment, string>> = {
  production: 'Production',
  preview: 'Previews',
};
export const ENVIRONMENTS = Object.keys(ENVIRONMENT_TITLES) as Environment[];

export const SEEN_BY_TITLES: Readonly<Record<SeenBy, string>> = {
  install: 'Installation',
  build: 'Build',
  run: 'Running backend',
};
export const SEEN_BY = Object.keys(SEEN_BY_TITLES) as SeenBy[];

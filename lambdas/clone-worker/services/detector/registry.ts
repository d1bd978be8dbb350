import type { Language } from './language.ts';
import { hugo } from './languages/hugo.ts';
import { javascript } from './languages/javascript.ts';
import { jekyll } from './languages/jekyll.ts';
import { mkdocs } from './languages/mkdocs.ts';
import { nxProjects } from './languages/nx.ts';
import { staticPages } from './languages/static.ts';
import { zola } from './languages/zola.ts';
import { SERVICE_LANGUAGES } from './serviceLanguages.ts';

/** Languages in the order in which they are asked; between equal scores the earlier one wins. */
export const LANGUAGES: readonly Language[] = [
  javascript,
  nxProjects,
  hugo,
  jekyll,
  zola,
  mkdocs,
  ...SERVICE_LANGUAGES,
  staticPages,
];

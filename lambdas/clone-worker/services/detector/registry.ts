import type { Language } from './language.ts';
import { go } from './languages/go.ts';
import { javascript } from './languages/javascript.ts';
import { nxProjects } from './languages/nx.ts';
import { python } from './languages/python.ts';
import { staticPages } from './languages/static.ts';

/** Languages in the order in which they are asked; between equal scores the earlier one wins. */
export const LANGUAGES: readonly Language[] = [javascript, nxProjects, python, go, staticPages];

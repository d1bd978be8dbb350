import { join } from 'node:path';

/**
 * What bundlers and their loaders keep of the code that they have compiled, relative to the folder that is built, whatever
 * framework uses them; the folders of a framework's own come with the plan. Only what is named in either place is kept,
 * since beside it lies what was fetched: `.next/cache/fetch-cache` and `images`, Astro's content store and pictures, Gatsby's
 * and Eleventy's `.cache`, Nuxt's fonts. A page made of that would be as old as the cache. Nor is what stands in for whole
 * builds, pages and all: the caches of Turborepo, Nx and lage, Parcel's.
 */
const COMPILED = [
  ...[
    'babel-loader',
    'css-loader',
    'default-development', // webpack's names for the cache of a build without a name, as Create React App has it
    'default-production',
    'esbuild-loader',
    '.eslintcache',
    'eslint-loader',
    'eslint-webpack-plugin',
    'jiti',
    'postcss-loader',
    'rollup-plugin-typescript2',
    'rspack',
    'sass-loader',
    'swc-loader',
    'terser-webpack-plugin',
    'thread-loader',
    'ts-loader',
    'vue-loader',
    'webpack',
  ].map((name) => join('node_modules/.cache', name)),
  'node_modules/.vite/deps',
  'node_modules/.vite/deps_ssr',
];
/** Within those: what was fetched all the same. Angular's builder keeps the fonts that it puts into pages. */
const FETCHED = /(?:^|\/)angular-build-fonts(?:\/|$)/;

/** Where build tools keep things in the installed folder: never part of the installed state. */
const TOOLS = ['node_modules/.cache', 'node_modules/.vite', 'node_modules/.astro'];

const namesWithin = (folder: string, names: readonly string[]) => names.map((name) => join('source', folder, name));

/** `path` is FRONTENDPATH, `own` what the plan says of its framework. */
export const compiledFolders = (path: string, own: readonly string[]): string[] =>
  namesWithin(path, [...new Set([...own, ...COMPILED])]);
export const toolFolders = (path: string): ReadonlySet<string> => new Set(namesWithin(path, TOOLS));
export const isFetched = (path: string): boolean => FETCHED.test(path);

/**
 * What of a package manager's downloads is kept. Of npm's only the contents, each under its own hash, by which npm checks it:
 * the list of what was asked for says what a registry answered then, and could say anything.
 */
export const storeFolder = (packageManager: string): string => {
  const [name, version = ''] = packageManager.split('@');
  if (name === 'pnpm') return 'cache/pnpm';
  if (name === 'bun') return 'cache/bun';
  if (name === 'yarn') return /^(?:[01](?:\.|$)|$)/.test(version) ? 'cache/yarn' : 'cache/yarn-berry';
  return 'cache/npm/_cacache/content-v2';
};

import type { FrameworkRules } from '../framework.ts';
import { analog } from './analog.ts';
import { angular, ionicAngular, scully } from './angular.ts';
import { astro } from './astro.ts';
import { blitzjs } from './blitzjs.ts';
import { brunch } from './brunch.ts';
import { createReactApp } from './createReactApp.ts';
import { docusaurus, docusaurusOne } from './docusaurus.ts';
import { dumi } from './dumi.ts';
import { eleventy } from './eleventy.ts';
import { ember } from './ember.ts';
import { expoWeb } from './expoWeb.ts';
import { farm } from './farm.ts';
import { gridsome } from './gridsome.ts';
import { hexo } from './hexo.ts';
import { histoire } from './histoire.ts';
import { honkit } from './honkit.ts';
import { hydrogen } from './hydrogen.ts';
import { ionicReact } from './ionicReact.ts';
import { ladle } from './ladle.ts';
import { nextjs } from './nextjs.ts';
import { nitro } from './nitro.ts';
import { nuxtjs } from './nuxtjs.ts';
import { observable } from './observable.ts';
import { parcel } from './parcel.ts';
import { quasar } from './quasar.ts';
import { qwikCity } from './qwikCity.ts';
import { reactRouter } from './reactRouter.ts';
import { redwoodjs } from './redwoodjs.ts';
import { remix } from './remix.ts';
import { rsbuild } from './rsbuild.ts';
import { rspack } from './rspack.ts';
import { rspress } from './rspress.ts';
import { slidev } from './slidev.ts';
import { solidstart } from './solidstart.ts';
import { stencil } from './stencil.ts';
import { storybook } from './storybook.ts';
import { svelte } from './svelte.ts';
import { sveltekit } from './sveltekit.ts';
import { tanstackStart, tanstackStartLovable } from './tanstackStart.ts';
import { umijs } from './umijs.ts';
import { vike } from './vike.ts';
import { vite } from './vite.ts';
import { vitepress } from './vitepress.ts';
import { vue } from './vue.ts';
import { vuepress } from './vuepress.ts';
import { waku } from './waku.ts';
import { webpack } from './webpack.ts';

/**
 * The frameworks that Veren knows something of, each in a file of its own: a new one is a file and a line here, since the
 * functions are bundled and no folder can be read then. Of two that a package matches, the earlier one is taken, after those
 * of `@vercel/frameworks`.
 */
export const FRAMEWORKS: readonly FrameworkRules[] = [
  vitepress,
  vike,
  qwikCity,
  analog,
  waku,
  rsbuild,
  parcel,
  rspack,
  quasar,
  umijs,
  tanstackStart,
  reactRouter,
  rspress,
  slidev,
  dumi,
  observable,
  farm,
  honkit,
  ladle,
  histoire,
  expoWeb,
  webpack,
  angular,
  astro,
  blitzjs,
  brunch,
  createReactApp,
  docusaurus,
  docusaurusOne,
  eleventy,
  ember,
  gridsome,
  hexo,
  hydrogen,
  ionicAngular,
  ionicReact,
  nextjs,
  nitro,
  nuxtjs,
  redwoodjs,
  remix,
  scully,
  solidstart,
  stencil,
  storybook,
  svelte,
  sveltekit,
  tanstackStartLovable,
  vite,
  vue,
  vuepress,
];

const BY_SLUG: ReadonlyMap<string, FrameworkRules> = new Map(FRAMEWORKS.map((rules) => [rules.slug, rules]));

/** What is known of a framework; of one without a file, nothing but its name. */
export const rulesOf = (slug: string): FrameworkRules => BY_SLUG.get(slug) ?? { slug };

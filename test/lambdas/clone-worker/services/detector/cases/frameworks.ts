import { type Case, pkg } from './case.ts';

/** A package of one framework, as its own starter writes it. */
const starter = (
  dependencies: Readonly<Record<string, string>>,
  scripts: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
) => ({ 'package.json': pkg({ private: true, scripts, dependencies }), ...files });
const site = (framework: string | null, outputDirectory: string, buildCommand = 'npm run build') => ({
  frontend: { path: '.', framework, outputDirectory, buildCommand },
  backend: null,
});
const server = (framework: string, startCommand: string) => ({
  frontend: null,
  backend: { path: '.', framework, startCommand, port: 3000 },
});
const refused = (says: RegExp) => ({ error: { code: 'NEEDS_SERVER', says } as const });
const HTML = { 'index.html': '<div id="app"></div>' };

export const frameworkCases: readonly Case[] = [
  // --- static by nature
  {
    name: 'Vite with React',
    files: starter({ react: '19', vite: '7' }, { build: 'tsc -b && vite build' }, HTML),
    ...site('vite', 'dist'),
  },
  {
    name: 'Vite: outDir in the configuration',
    files: starter(
      { vite: '7' },
      { build: 'vite build' },
      { ...HTML, 'vite.config.ts': "export default { build: { outDir: 'build' } }" },
    ),
    ...site('vite', 'build'),
    because: [['outputDirectory', 'vite.config.ts']],
  },
  {
    name: 'Vite: outDir in a comment is not set',
    files: starter(
      { vite: '7' },
      { build: 'vite build' },
      { ...HTML, 'vite.config.ts': "export default { /* outDir: 'a' */ build: {\n // outDir: 'b'\n} }" },
    ),
    ...site('vite', 'dist'),
  },
  {
    name: 'Vite: outDir as an option of the script',
    files: starter({ vite: '7' }, { build: 'vite build --outDir=public/app' }, HTML),
    ...site('vite', 'public/app'),
  },
  {
    name: 'Vite: outDir is seen from root',
    files: starter(
      { vite: '7' },
      { build: 'vite build' },
      { 'src/index.html': '', 'vite.config.js': "export default { root: 'src', build: { outDir: '../dist' } }" },
    ),
    ...site('vite', 'dist'),
  },
  {
    name: 'Vite: root without outDir',
    files: starter(
      { vite: '7' },
      { build: 'vite build' },
      { 'client/index.html': '', 'vite.config.js': "export default { root: './client' }" },
    ),
    ...site('vite', 'client/dist'),
  },
  {
    name: 'Vite without a build script',
    files: starter({ vite: '7' }, { dev: 'vite' }, HTML),
    ...site('vite', 'dist', 'npx vite build'),
  },
  {
    name: 'Create React App',
    files: starter(
      { 'react-scripts': '5', react: '18' },
      { start: 'react-scripts start', build: 'react-scripts build' },
      { 'public/index.html': '' },
    ),
    ...site('create-react-app', 'build'),
  },
  {
    name: 'Vue CLI',
    files: starter(
      { '@vue/cli-service': '5' },
      { serve: 'vue-cli-service serve', build: 'vue-cli-service build' },
      { 'public/index.html': '' },
    ),
    ...site('vue', 'dist'),
  },
  {
    name: 'Vue CLI: outputDir',
    files: starter(
      { '@vue/cli-service': '5' },
      { build: 'vue-cli-service build' },
      { 'vue.config.js': "module.exports = { outputDir: 'site' }" },
    ),
    ...site('vue', 'site'),
  },
  { name: 'Gatsby', files: starter({ gatsby: '5' }, { build: 'gatsby build' }), ...site('gatsby', 'public') },
  {
    name: 'Docusaurus',
    files: starter({ '@docusaurus/core': '3' }, { start: 'docusaurus start', build: 'docusaurus build' }),
    ...site('docusaurus-2', 'build'),
  },
  { name: 'Eleventy', files: starter({ '@11ty/eleventy': '3' }, { build: 'eleventy' }), ...site('eleventy', '_site') },
  {
    name: 'Eleventy: output as an option',
    files: starter({ '@11ty/eleventy': '3' }, { build: 'eleventy --output=www' }),
    ...site('eleventy', 'www'),
  },
  {
    name: 'Eleventy without scripts',
    files: starter({ '@11ty/eleventy': '3' }, {}),
    ...site('eleventy', '_site', 'npx @11ty/eleventy'),
  },
  {
    name: 'VitePress in the root',
    files: starter({ vitepress: '1' }, { build: 'vitepress build' }),
    ...site('vitepress', '.vitepress/dist'),
  },
  {
    name: 'VitePress in docs',
    files: starter({ vitepress: '1' }, { build: 'vitepress build docs' }),
    ...site('vitepress', 'docs/.vitepress/dist'),
  },
  {
    name: 'VitePress: outDir',
    files: starter(
      { vitepress: '1' },
      { build: 'vitepress build' },
      { '.vitepress/config.mts': "export default { outDir: './public' }" },
    ),
    ...site('vitepress', 'public'),
  },
  { name: 'Hexo', files: starter({ hexo: '7' }, { build: 'hexo generate' }), ...site('hexo', 'public') },
  { name: 'Preact CLI', files: starter({ 'preact-cli': '3' }, { build: 'preact build' }), ...site('preact', 'build') },
  {
    name: 'Ember',
    files: starter({ 'ember-source': '5', 'ember-cli': '5' }, { build: 'ember build --environment=production' }),
    ...site('ember', 'dist'),
  },
  {
    name: 'Svelte with rollup',
    files: starter(
      { svelte: '3', 'sirv-cli': '2' },
      { build: 'rollup -c', start: 'sirv public' },
      { 'public/index.html': '' },
    ),
    frontend: { framework: 'svelte', outputDirectory: 'public' },
  },
  {
    name: 'Svelte with Vite',
    files: starter({ svelte: '5', vite: '7' }, { build: 'vite build' }, HTML),
    ...site('vite', 'dist'),
  },
  {
    name: 'Parcel',
    files: starter({ parcel: '2' }, { build: 'parcel build index.html' }, HTML),
    ...site('parcel', 'dist'),
  },
  {
    name: 'Parcel: dist-dir',
    files: starter({ parcel: '2' }, { build: 'parcel build src/index.html --dist-dir www' }, { 'src/index.html': '' }),
    ...site('parcel', 'www'),
  },
  {
    name: 'webpack',
    files: starter(
      { webpack: '5', 'webpack-cli': '6' },
      { build: 'webpack --mode production' },
      { 'public/index.html': '' },
    ),
    ...site('webpack', 'dist'),
  },
  {
    name: 'webpack: output.path',
    files: starter(
      { webpack: '5', 'webpack-cli': '6' },
      { build: 'webpack' },
      {
        'src/index.html': '',
        'webpack.config.js':
          "const path = require('path'); module.exports = { output: { path: path.resolve(__dirname, 'build'), filename: 'a.js' } };",
      },
    ),
    ...site('webpack', 'build'),
  },
  {
    name: 'Rsbuild',
    files: starter({ '@rsbuild/core': '1' }, { build: 'rsbuild build' }, { 'src/index.js': '' }),
    ...site('rsbuild', 'dist'),
  },
  {
    name: 'Quasar',
    files: starter({ quasar: '2', '@quasar/app-vite': '2', vite: '6' }, { build: 'quasar build' }, HTML),
    ...site('quasar', 'dist/spa'),
  },
  {
    name: 'Ionic React with Vite',
    files: starter({ '@ionic/react': '8', vite: '5' }, { build: 'vite build' }, HTML),
    frontend: { outputDirectory: 'dist' },
  },
  {
    name: 'Ionic Angular',
    files: starter({ '@ionic/angular': '8', '@angular/cli': '18' }, { build: 'ng build' }),
    frontend: { framework: 'ionic-angular', outputDirectory: 'www' },
  },
  {
    name: 'Stencil',
    files: starter({ '@stencil/core': '4' }, { build: 'stencil build' }, { 'src/index.html': '' }),
    ...site('stencil', 'www'),
  },
  { name: 'Gridsome', files: starter({ gridsome: '0.7' }, { build: 'gridsome build' }), ...site('gridsome', 'dist') },
  { name: 'UmiJS', files: starter({ umi: '4' }, { build: 'umi build' }), ...site('umijs', 'dist') },
  {
    name: 'Sanity Studio',
    files: starter({ sanity: '3' }, { build: 'sanity build' }, { 'sanity.config.ts': '' }),
    ...site('sanity', 'dist'),
  },
  {
    name: 'Expo for web',
    files: starter({ expo: '52', 'react-native': '0.76', 'react-native-web': '0.19' }, { start: 'expo start' }),
    ...site('expo-web', 'dist', 'npx expo export -p web'),
  },
  {
    name: 'Storybook alone',
    files: starter({ storybook: '8' }, { 'build-storybook': 'storybook build' }),
    ...site('storybook', 'storybook-static', 'npm run build-storybook'),
  },
  {
    name: 'Storybook beside an app: the app',
    files: starter({ storybook: '8', vite: '7' }, { build: 'vite build', 'build-storybook': 'storybook build' }, HTML),
    ...site('vite', 'dist'),
  },

  // --- Angular: outputPath and the two builders
  {
    name: 'Angular, application builder: dist/<name>/browser',
    files: starter(
      { '@angular/core': '19', '@angular/cli': '19' },
      { start: 'ng serve', build: 'ng build' },
      {
        'angular.json': JSON.stringify({
          projects: {
            shop: {
              projectType: 'application',
              architect: {
                build: { builder: '@angular-devkit/build-angular:application', options: { outputPath: 'dist/shop' } },
              },
            },
          },
        }),
      },
    ),
    ...site('angular', 'dist/shop/browser'),
    because: [['outputDirectory', 'angular.json']],
  },
  {
    name: 'Angular, application builder without outputPath',
    files: starter(
      { '@angular/cli': '20' },
      { build: 'ng build' },
      {
        'angular.json': JSON.stringify({
          projects: {
            shop: {
              projectType: 'application',
              architect: { build: { builder: '@angular/build:application', options: {} } },
            },
          },
        }),
      },
    ),
    ...site('angular', 'dist/shop/browser'),
  },
  {
    name: 'Angular, older browser builder, with comments in angular.json',
    files: starter(
      { '@angular/cli': '14' },
      { build: 'ng build' },
      {
        'angular.json':
          '{ // workspace\n "projects": { "old": { "projectType": "application", "architect": { "build": { "builder": "@angular-devkit/build-angular:browser", "options": { "outputPath": "dist/old", } } } } } }',
      },
    ),
    ...site('angular', 'dist/old'),
  },
  {
    name: 'Angular: outputPath with an empty browser folder',
    files: starter(
      { '@angular/cli': '19' },
      { build: 'ng build' },
      {
        'angular.json': JSON.stringify({
          projects: {
            a: {
              architect: {
                build: {
                  builder: '@angular-devkit/build-angular:application',
                  options: { outputPath: { base: 'out', browser: '' } },
                },
              },
            },
          },
        }),
      },
    ),
    ...site('angular', 'out'),
  },
  {
    name: 'Angular with server rendering',
    files: starter(
      { '@angular/cli': '19', '@angular/ssr': '19', express: '4' },
      { build: 'ng build' },
      {
        'angular.json': JSON.stringify({
          projects: {
            a: {
              projectType: 'application',
              architect: {
                build: {
                  builder: '@angular/build:application',
                  options: { outputPath: 'dist/a', outputMode: 'server', ssr: { entry: 'src/server.ts' } },
                },
              },
            },
          },
        }),
      },
    ),
    ...server('angular', 'node dist/a/server/server.mjs'),
  },
  {
    name: 'Angular, prerendered: outputMode static',
    files: starter(
      { '@angular/cli': '19' },
      { build: 'ng build' },
      {
        'angular.json': JSON.stringify({
          projects: {
            a: {
              projectType: 'application',
              architect: {
                build: {
                  builder: '@angular/build:application',
                  options: { outputPath: 'dist/a', outputMode: 'static', ssr: { entry: 'src/server.ts' } },
                },
              },
            },
          },
        }),
      },
    ),
    ...site('angular', 'dist/a/browser'),
  },

  // --- a server or static files: what the framework's own setting says
  {
    name: 'Next.js renders on a server',
    files: starter({ next: '15', react: '19' }, { build: 'next build', start: 'next start' }),
    ...server('nextjs', 'npm start'),
    warns: [/Next\.js in "\." renders on a server.*output: 'export'/],
  },
  {
    name: 'Next.js without a start script',
    files: starter({ next: '15' }, { build: 'next build' }),
    ...server('nextjs', 'npx next start'),
  },
  {
    name: "Next.js with output: 'export'",
    files: starter(
      { next: '15' },
      { build: 'next build' },
      { 'next.config.mjs': "const nextConfig = { output: 'export' };\nexport default nextConfig;" },
    ),
    ...site('nextjs', 'out'),
    because: [['rendering', 'next.config.mjs']],
  },
  {
    name: "Next.js with output: 'export' and distDir",
    files: starter(
      { next: '15' },
      { build: 'next build' },
      { 'next.config.ts': "export default { output: 'export', distDir: 'build' }" },
    ),
    ...site('nextjs', 'build'),
  },
  {
    name: "Next.js with output: 'export' in a comment is a server",
    files: starter(
      { next: '15' },
      { build: 'next build' },
      { 'next.config.js': "module.exports = {\n  // output: 'export',\n  reactStrictMode: true,\n}" },
    ),
    ...server('nextjs', 'npx next start'),
  },
  {
    name: "Next.js with output: 'standalone' is a server",
    files: starter(
      { next: '15' },
      { build: 'next build', start: 'next start' },
      { 'next.config.js': "module.exports = { output: 'standalone' }" },
    ),
    ...server('nextjs', 'npm start'),
  },
  {
    name: 'Next.js before 14: next export',
    files: starter({ next: '12' }, { build: 'next build && next export' }),
    ...site('nextjs', 'out'),
  },
  {
    name: 'Next.js before 14: next export -o',
    files: starter({ next: '12' }, { build: 'next build && next export -o docs' }),
    frontend: { outputDirectory: 'docs' },
  },
  {
    name: 'Next.js asked for as a frontend is refused, with the setting that would make it static',
    files: starter({ next: '15' }, { build: 'next build' }),
    request: { frontend: {} },
    ...refused(/Next\.js in "\." renders on a server.*Set output: 'export' in next\.config, or deploy it as a backend/),
  },
  {
    name: 'Next.js with backend: false is refused',
    files: starter({ next: '15' }, { build: 'next build' }),
    request: { backend: false },
    ...refused(/Set output: 'export'/),
  },
  {
    name: 'Next.js asked for as a frontend with the folder of its static files',
    files: starter({ next: '15' }, { build: 'next build' }),
    request: { frontend: { outputDirectory: 'out' } },
    frontend: { framework: 'nextjs', outputDirectory: 'out' },
    backend: null,
  },
  {
    name: 'Nuxt 3 renders on a server',
    files: starter({ nuxt: '3' }, { build: 'nuxt build', generate: 'nuxt generate' }),
    ...server('nuxtjs', 'node .output/server/index.mjs'),
  },
  {
    name: 'Nuxt with ssr: false',
    files: starter(
      { nuxt: '3' },
      { build: 'nuxt build' },
      { 'nuxt.config.ts': 'export default defineNuxtConfig({ ssr: false })' },
    ),
    ...site('nuxtjs', '.output/public'),
  },
  {
    name: 'Nuxt with ssr: false for one route is a server',
    files: starter(
      { nuxt: '3' },
      { build: 'nuxt build' },
      { 'nuxt.config.ts': 'export default defineNuxtConfig({ compatibilityDate: "2025-01-01" })' },
    ),
    ...server('nuxtjs', 'node .output/server/index.mjs'),
  },
  {
    name: 'Nuxt whose build script generates',
    files: starter({ nuxt: '3' }, { build: 'nuxt generate' }),
    ...site('nuxtjs', '.output/public'),
  },
  {
    name: 'Nuxt with a generate script only',
    files: starter({ nuxt: '3' }, { dev: 'nuxt dev', generate: 'nuxi generate' }),
    ...site('nuxtjs', '.output/public', 'npm run generate'),
  },
  {
    name: 'Nuxt 2 generated',
    files: starter({ nuxt: '2.17.0' }, { build: 'nuxt generate' }),
    ...site('nuxtjs', 'dist'),
  },
  {
    name: 'Astro is static by default',
    files: starter({ astro: '5' }, { build: 'astro build' }),
    ...site('astro', 'dist'),
  },
  {
    name: 'Astro: outDir',
    files: starter(
      { astro: '5' },
      { build: 'astro build' },
      { 'astro.config.mjs': "export default defineConfig({ outDir: './build' })" },
    ),
    ...site('astro', 'build'),
  },
  {
    name: 'Astro with the Node adapter',
    files: starter(
      { astro: '5', '@astrojs/node': '9' },
      { build: 'astro build' },
      {
        'astro.config.mjs': "export default defineConfig({ output: 'server', adapter: node({ mode: 'standalone' }) })",
      },
    ),
    ...server('astro', 'node dist/server/entry.mjs'),
  },
  {
    name: 'Astro for another platform is refused',
    files: starter(
      { astro: '5', '@astrojs/vercel': '8' },
      { build: 'astro build' },
      { 'astro.config.mjs': "export default defineConfig({ output: 'server', adapter: vercel() })" },
    ),
    ...refused(/Astro.*astro\.config.*@astrojs\/node/),
  },
  {
    name: 'SvelteKit with adapter-static',
    files: starter(
      { '@sveltejs/kit': '2', '@sveltejs/adapter-static': '3', vite: '6' },
      { build: 'vite build' },
      {
        'svelte.config.js':
          "import adapter from '@sveltejs/adapter-static';\nexport default { kit: { adapter: adapter() } };",
      },
    ),
    ...site('sveltekit-1', 'build'),
  },
  {
    name: 'SvelteKit with adapter-static and pages',
    files: starter(
      { '@sveltejs/kit': '2', vite: '6' },
      { build: 'vite build' },
      {
        'svelte.config.js':
          "import adapter from '@sveltejs/adapter-static';\nexport default { kit: { adapter: adapter({ pages: 'www' }) } };",
      },
    ),
    ...site('sveltekit-1', 'www'),
  },
  {
    name: 'SvelteKit with adapter-node',
    files: starter(
      { '@sveltejs/kit': '2', vite: '6' },
      { build: 'vite build' },
      {
        'svelte.config.js':
          "import adapter from '@sveltejs/adapter-node';\nexport default { kit: { adapter: adapter() } };",
      },
    ),
    ...server('sveltekit-1', 'node build'),
  },
  {
    name: 'SvelteKit with adapter-auto is refused: it knows no platform of ours',
    files: starter(
      { '@sveltejs/kit': '2', '@sveltejs/adapter-auto': '4', vite: '6' },
      { build: 'vite build' },
      {
        'svelte.config.js':
          "import adapter from '@sveltejs/adapter-auto';\nexport default { kit: { adapter: adapter() } };",
      },
    ),
    ...refused(/SvelteKit.*@sveltejs\/adapter-static.*@sveltejs\/adapter-node/),
  },
  {
    name: 'SvelteKit 1.0.0-next',
    files: starter(
      { '@sveltejs/kit': '1.0.0-next.300', '@sveltejs/adapter-static': '1.0.0-next.29' },
      { build: 'svelte-kit build' },
      { 'svelte.config.js': "import adapter from '@sveltejs/adapter-static';" },
    ),
    frontend: { outputDirectory: 'build' },
  },
  {
    name: 'React Router as a framework',
    files: starter(
      { '@react-router/dev': '7', 'react-router': '7', vite: '6' },
      { build: 'react-router build', start: 'react-router-serve ./build/server/index.js' },
      { 'react-router.config.ts': 'export default { ssr: true }' },
    ),
    ...server('react-router', 'npm start'),
  },
  {
    name: 'React Router with ssr: false',
    files: starter(
      { '@react-router/dev': '7', vite: '6' },
      { build: 'react-router build' },
      { 'react-router.config.ts': 'export default { ssr: false } satisfies Config' },
    ),
    ...site('react-router', 'build/client'),
  },
  {
    name: 'React Router as a library in a Vite app',
    files: starter({ 'react-router': '7', vite: '6' }, { build: 'vite build' }, HTML),
    ...site('vite', 'dist'),
  },
  {
    name: 'Remix',
    files: starter(
      { '@remix-run/dev': '2', '@remix-run/serve': '2', vite: '5' },
      { build: 'remix vite:build', start: 'remix-serve ./build/server/index.js' },
      { 'vite.config.ts': 'export default { plugins: [remix()] }' },
    ),
    ...server('remix', 'npm start'),
  },
  {
    name: 'Remix in SPA mode',
    files: starter(
      { '@remix-run/dev': '2', vite: '5' },
      { build: 'remix vite:build' },
      { 'vite.config.ts': 'export default { plugins: [remix({ ssr: false })] }' },
    ),
    ...site('remix', 'build/client'),
  },
  {
    name: 'SolidStart',
    files: starter(
      { 'solid-js': '1', '@solidjs/start': '1', vinxi: '0.5' },
      { build: 'vinxi build', start: 'vinxi start' },
    ),
    ...server('solidstart-1', 'npm start'),
  },
  {
    name: 'SolidStart with the preset static',
    files: starter(
      { 'solid-js': '1', '@solidjs/start': '1' },
      { build: 'vinxi build' },
      { 'app.config.ts': "export default defineConfig({ server: { preset: 'static' } })" },
    ),
    ...site('solidstart-1', '.output/public'),
  },
  {
    name: 'TanStack Start with nitro',
    files: starter(
      { '@tanstack/react-start': '1', '@tanstack/router-plugin': '1', nitro: '3', vite: '7' },
      { build: 'vite build' },
    ),
    ...server('tanstack-start', 'node .output/server/index.mjs'),
  },
  {
    name: 'TanStack Start as an SPA',
    files: starter(
      { '@tanstack/react-start': '1', '@tanstack/router-plugin': '1', vite: '7' },
      { build: 'vite build' },
      { 'vite.config.ts': 'export default { plugins: [tanstackStart({ spa: { enabled: true } })] }' },
    ),
    ...site('tanstack-start', 'dist/client'),
  },
  {
    name: 'TanStack Router in a Vite app is an SPA',
    files: starter(
      { '@tanstack/react-router': '1', '@tanstack/router-plugin': '1', vite: '7' },
      { build: 'vite build' },
      HTML,
    ),
    ...site('vite', 'dist'),
  },
  {
    name: 'Nitro',
    files: starter({ nitropack: '2' }, { build: 'nitro build' }),
    ...server('nitro', 'node .output/server/index.mjs'),
  },
  {
    name: 'Vike, prerendered',
    files: starter(
      { vike: '0.4', vite: '6' },
      { build: 'vike build' },
      { 'vite.config.ts': 'export default { plugins: [vike({ prerender: true })] }' },
    ),
    ...site('vike', 'dist/client'),
  },
  {
    name: 'Qwik City with the static adapter',
    files: starter(
      { '@builder.io/qwik-city': '1', vite: '5' },
      { build: 'qwik build' },
      { 'adapters/static/vite.config.ts': '' },
    ),
    ...site('qwik-city', 'dist'),
  },
  {
    name: 'Waku',
    files: starter({ waku: '0.21' }, { build: 'waku build', start: 'waku start' }),
    ...server('waku', 'npm start'),
  },
  {
    name: 'Hydrogen is refused',
    files: starter({ '@shopify/hydrogen': '2024.10.0', vite: '5' }, { build: 'shopify hydrogen build' }),
    ...refused(/Hydrogen/),
  },

  // --- no framework
  {
    name: 'a build script and a page: the folder that the script names',
    files: starter(
      { esbuild: '0.25' },
      { build: 'esbuild src/a.ts --bundle --outfile=public/a.js' },
      { 'public/index.html': '' },
    ),
    ...site(null, 'public'),
  },
  {
    name: 'a build script and a page in the root',
    files: starter({ tailwindcss: '3' }, { build: 'tailwindcss -i in.css -o out.css' }, HTML),
    ...site(null, '.'),
  },
  {
    name: 'a build script that writes dist',
    files: starter({}, { build: 'node build.mjs && cp -r src/* dist/' }, { 'src/index.html': '' }),
    ...site(null, 'dist'),
  },
  {
    name: 'a library built by Vite, without a page, is no site',
    files: starter(
      { vite: '7' },
      { build: 'vite build' },
      { 'vite.config.ts': "export default { build: { lib: { entry: 'src/a.ts' } } }" },
    ),
    error: { code: 'NOTHING_TO_DEPLOY', says: /no framework that is known, no page to build/ },
  },
  {
    name: 'a library with a build script is no site',
    files: starter({ typescript: '5' }, { build: 'tsc' }),
    error: { code: 'NOTHING_TO_DEPLOY' },
  },
  {
    name: 'the request’s commands and folder win',
    files: starter({ vite: '7' }, { build: 'vite build' }, HTML),
    request: { frontend: { buildCommand: 'make site', outputDirectory: 'www' } },
    ...site('vite', 'www', 'make site'),
    because: [
      ['buildCommand', undefined],
      ['outputDirectory', undefined],
    ],
  },
  {
    name: 'an empty build command means that nothing is built',
    files: starter({ vite: '7' }, { build: 'vite build' }, HTML),
    request: { frontend: { buildCommand: '', outputDirectory: '.' } },
    frontend: { buildCommand: null, outputDirectory: '.' },
  },
];

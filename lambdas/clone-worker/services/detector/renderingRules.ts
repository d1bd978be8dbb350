import { join } from '../../../shared/repo/repoFs.ts';
import { configFile, dependency, fileIn, type Project, script } from './project.ts';
import type { Rendering, ServerRendering, StaticRendering } from './rendering.ts';
import { hasSetting, stringSetting } from './sourceText.ts';

/** How each framework says whether it renders on a server. The source of each rule is the framework's own page. */

const statically = (output: string, rule: string, file?: string): StaticRendering => ({
  kind: 'static',
  output: output.replace(/^\.\//, '').replace(/\/+$/, ''),
  rule,
  file,
});
const server = (row: Omit<ServerRendering, 'kind'>): ServerRendering => ({ kind: 'server', ...row });
const packageFile = (project: Project) => join(project.dir, 'package.json');
const majorOf = (range: string | undefined) => /\d+/.exec(range ?? '')?.[0];

/** https://nextjs.org/docs/app/guides/static-exports: `output: 'export'` writes `out` or `distDir`; `next export` before 14. */
export function next(project: Project): Rendering {
  const config = configFile(project, 'next.config');
  if (config && stringSetting(config.code, 'output') === 'export')
    return statically(stringSetting(config.code, 'distDir') ?? 'out', "output: 'export'", config.file);
  const build = script(project, 'build');
  if (/\bnext export\b/.test(build)) {
    const folder = /\bnext export\b.{0,200}?\s(?:-o|--outdir)[ =](\S+)/.exec(build)?.[1];
    return statically(folder ?? 'out', 'the build script runs next export', packageFile(project));
  }
  return server({
    start: 'npx next start',
    rule: "no output: 'export'",
    file: config?.file,
    remedy: "Set output: 'export' in next.config",
  });
}

/** https://nuxt.com/docs/getting-started/deployment: `nuxt generate` and `ssr: false` give static files. */
export function nuxt(project: Project): Rendering {
  const config = configFile(project, 'nuxt.config');
  const two = majorOf(dependency(project, 'nuxt')) === '2';
  const output = two ? 'dist' : '.output/public';
  const build = script(project, 'build') || script(project, 'generate');
  if (/\bnux(?:t|i) generate\b/.test(build))
    return statically(output, 'the script runs nuxt generate', packageFile(project));
  if (config && !two && hasSetting(config.code, 'ssr', 'false')) return statically(output, 'ssr: false', config.file);
  if (config && stringSetting(config.code, 'preset') === 'static')
    return statically(output, 'preset static', config.file);
  return server({
    start: two ? 'npx nuxt start' : 'node .output/server/index.mjs',
    rule: 'server rendering is the default of Nuxt',
    file: config?.file,
    remedy: 'Make the build script "nuxt generate", or set ssr: false in nuxt.config',
  });
}

/** https://docs.astro.build/en/guides/on-demand-rendering/: static unless `output` says otherwise or an adapter is used. */
export function astro(project: Project): Rendering {
  const config = configFile(project, 'astro.config');
  const output = config && stringSetting(config.code, 'output');
  const adapter = config !== undefined && /(?<![\w$])adapter\s{0,9}[:,]/.test(config.code);
  const outDir = (config && stringSetting(config.code, 'outDir')) ?? 'dist';
  if (output !== 'server' && output !== 'hybrid' && !adapter)
    return statically(outDir, output ? `output: '${output}'` : 'static is the default of Astro', config?.file);
  const node = dependency(project, '@astrojs/node') !== undefined;
  return server({
    start: node ? `node ${outDir.replace(/^\.\//, '').replace(/\/+$/, '')}/server/entry.mjs` : undefined,
    rule: adapter ? 'an adapter' : `output: '${output}'`,
    file: config?.file,
    remedy: `Take output: 'server' and the adapter out of astro.config${node ? '' : ', or use the adapter @astrojs/node to deploy it as a backend'}`,
  });
}

/** https://svelte.dev/docs/kit/adapters: the adapter says what the build gives. */
export function svelteKit(project: Project): Rendering {
  const configs = ['svelte.config', 'vite.config'].flatMap((base) => configFile(project, base) ?? []);
  const naming = (adapter: string) => configs.find(({ code }) => code.includes(adapter));
  const forStatic = naming('@sveltejs/adapter-static');
  if (forStatic) return statically(stringSetting(forStatic.code, 'pages') ?? 'build', 'adapter-static', forStatic.file);
  const remedy = 'Use @sveltejs/adapter-static in svelte.config.js';
  const forNode = naming('@sveltejs/adapter-node');
  if (forNode)
    return server({
      start: `node ${stringSetting(forNode.code, 'out') ?? 'build'}`,
      rule: 'adapter-node',
      file: forNode.file,
      remedy,
    });
  return server({
    rule: 'no adapter for static files or for Node',
    file: configs[0]?.file,
    remedy: `${remedy} for a static site, or @sveltejs/adapter-node for a backend`,
  });
}

/** https://reactrouter.com/how-to/spa: `ssr: false` gives `build/client`. */
export function reactRouter(project: Project): Rendering {
  const config = configFile(project, 'react-router.config');
  const folder = ((config && stringSetting(config.code, 'buildDirectory')) ?? 'build').replace(/^\.\//, '');
  if (config && hasSetting(config.code, 'ssr', 'false'))
    return statically(`${folder}/client`, 'ssr: false', config.file);
  return server({
    start: `npx react-router-serve ./${folder}/server/index.js`,
    rule: 'server rendering is the default of React Router as a framework',
    file: config?.file,
    remedy: 'Set ssr: false in react-router.config',
  });
}

/** https://remix.run/docs/en/main/guides/spa-mode: the Vite plugin's `ssr: false` gives `build/client`. */
export function remix(project: Project): Rendering {
  const vite = configFile(project, 'vite.config');
  if (vite && hasSetting(vite.code, 'ssr', 'false')) return statically('build/client', 'ssr: false', vite.file);
  return server({
    start: vite ? 'npx remix-serve ./build/server/index.js' : 'npx remix-serve build',
    rule: 'Remix renders on a server',
    file: vite?.file,
    remedy: 'Set ssr: false of the Remix plugin in vite.config',
  });
}

/** https://nitro.build/deploy/runtimes/node */
export function nitro(project: Project): Rendering {
  const config = configFile(project, 'nitro.config');
  if (config && stringSetting(config.code, 'preset') === 'static')
    return statically('.output/public', 'preset static', config.file);
  return server({
    start: 'node .output/server/index.mjs',
    rule: 'Nitro builds a server',
    file: config?.file,
    remedy: "Set preset: 'static' in nitro.config",
  });
}

/** https://docs.solidjs.com/solid-start/reference/config/define-config: `ssr: false` still builds a server. */
export function solidStart(project: Project): Rendering {
  const config = configFile(project, 'app.config');
  if (config && stringSetting(config.code, 'preset') === 'static')
    return statically('.output/public', 'preset static', config.file);
  return server({
    start: 'node .output/server/index.mjs',
    rule: 'SolidStart renders on a server',
    file: config?.file,
    remedy: "Set server: { preset: 'static' } in app.config",
  });
}

/** https://analogjs.org/docs/features/server/static-site-generation */
export function analog(project: Project): Rendering {
  const vite = configFile(project, 'vite.config');
  if (vite && (hasSetting(vite.code, 'ssr', 'false') || hasSetting(vite.code, 'static', 'true')))
    return statically('dist/analog/public', 'static: true or ssr: false', vite.file);
  return server({
    start: 'node dist/analog/server/index.mjs',
    rule: 'Analog renders on a server',
    file: vite?.file,
    remedy: 'Set static: true of the Analog plugin in vite.config',
  });
}

/** https://tanstack.com/start/latest/docs/framework/react/guide/spa-mode */
export function tanstackStart(project: Project): Rendering {
  const vite = configFile(project, 'vite.config');
  if (vite && /(?<![\w$])spa\s{0,9}:\s{0,9}\{\s{0,20}enabled\s{0,9}:\s{0,9}true/.test(vite.code))
    return statically('dist/client', 'spa: { enabled: true }', vite.file);
  const withNitro = ['nitro', 'nitropack'].some((name) => dependency(project, name) !== undefined);
  return server({
    start: withNitro ? 'node .output/server/index.mjs' : undefined,
    rule: 'TanStack Start renders on a server',
    file: vite?.file,
    remedy: `Set spa: { enabled: true } of the plugin in vite.config${withNitro ? '' : ', or add nitro to deploy it as a backend'}`,
  });
}

/** https://shopify.dev/docs/storefronts/headless/hydrogen/deployments */
export const hydrogen = (): Rendering =>
  server({ rule: 'Hydrogen renders on a server', remedy: 'Deploy it to a host for Hydrogen: it has no static export' });

/** https://docs.redwoodjs.com/docs/deployment/introduction */
export const redwood = (): Rendering =>
  server({ start: 'yarn rw serve', rule: 'Redwood has a server side', remedy: 'Deploy its folder "web" by itself' });

/** https://waku.gg: static only where every page is, which nothing says in advance. */
export const waku = (): Rendering =>
  server({ start: 'npx waku start', rule: 'Waku has a server', remedy: 'Give "frontend.outputDirectory"' });

/** https://vike.dev/prerender */
export function vike(project: Project): Rendering {
  const vite = configFile(project, 'vite.config');
  if (vite && /(?<![\w$])prerender\s{0,9}:\s{0,9}(?:true|\{)/.test(vite.code))
    return statically('dist/client', 'prerender', vite.file);
  return server({
    rule: 'Vike renders on a server',
    file: vite?.file,
    remedy: 'Set prerender: true for Vike in vite.config, or add a start script to deploy it as a backend',
  });
}

/** https://qwik.dev/docs/deployments/static/: which adapter is there says what is built. */
export function qwikCity(project: Project): Rendering {
  const adapter = join(project.dir, 'adapters/static');
  if (project.repo.isDirectory(adapter)) return statically('dist', 'the static adapter', adapter);
  const entry = ['express', 'fastify'].find((name) => fileIn(project, `src/entry.${name}.tsx`));
  return server({
    start: entry && `node server/entry.${entry}`,
    rule: 'no static adapter',
    remedy: `Add the static adapter (qwik add static)${entry ? '' : ', or the express adapter to deploy it as a backend'}`,
  });
}

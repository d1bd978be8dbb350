import { join } from '../../../../contract/repo-fs.ts';
import { optionOf, scriptCommands } from './commandLine.ts';
import type { ProgramConfig } from './config/readProgram.ts';
import { isCallValue, unwrapObject, valueAt } from './config/values.ts';
import { configFile, dependencyVersion, fileIn, type Project, projectConfig, scriptOf } from './project.ts';
import type { Rendering, ServerRendering, StaticRendering } from './rendering.ts';

/** How each framework says whether it renders on a server. The source of each rule is the framework's own page. */

const staticRendering = (output: string, rule: string, file?: string): StaticRendering => ({
  kind: 'static',
  output: output.replace(/^\.\//, '').replace(/\/+$/, ''),
  rule,
  file,
});
const serverRendering = (row: Omit<ServerRendering, 'kind'>): ServerRendering => ({ kind: 'server', ...row });
const packageFile = (project: Project) => join(project.dir, 'package.json');
const majorOf = (range: string | undefined) => /\d+/.exec(range ?? '')?.[0];

/** https://nextjs.org/docs/app/guides/static-exports: `output: 'export'` writes `out` or `distDir`; `next export` before 14. */
export function judgeNext(project: Project): Rendering {
  const config = projectConfig(project, 'next.config');
  if (config?.text('output') === 'export')
    return staticRendering(config.path('distDir') ?? 'out', "output: 'export'", config.file);
  const build = scriptOf(project, 'build');
  if (/\bnext export\b/.test(build)) {
    const folder = /\bnext export\b.{0,200}?\s(?:-o|--outdir)[ =](\S+)/.exec(build)?.[1];
    return staticRendering(folder ?? 'out', 'the build script runs next export', packageFile(project));
  }
  return serverRendering({
    start: 'npx next start',
    rule: "no output: 'export'",
    file: config?.file,
    remedy: "Set output: 'export' in next.config",
  });
}

/** https://nuxt.com/docs/getting-started/deployment: `nuxt generate` and `ssr: false` give static files. */
export function judgeNuxt(project: Project): Rendering {
  const config = projectConfig(project, 'nuxt.config');
  const two = majorOf(dependencyVersion(project, 'nuxt')) === '2';
  const named = two ? config?.path('generate', 'dir') : config?.path('nitro', 'output', 'publicDir');
  const output = named ?? (two ? 'dist' : '.output/public');
  const name = scriptOf(project, 'build') === '' ? 'generate' : 'build';
  if (scriptCommands(project, name).some((c) => /^nux(?:t|i)$/.test(c.program) && c.args[0] === 'generate'))
    return staticRendering(output, 'the script runs nuxt generate', packageFile(project));
  if (config && !two && config.isSet(false, 'ssr')) return staticRendering(output, 'ssr: false', config.file);
  if (config && isStaticPreset(config.text('nitro', 'preset')))
    return staticRendering(output, 'preset static', config.file);
  const foreign = foreignPreset(project, config?.text('nitro', 'preset'));
  if (foreign !== undefined) return builtForAnotherHost(foreign, config?.file);
  return serverRendering({
    start: two ? 'npx nuxt start' : 'node .output/server/index.mjs',
    rule: 'server rendering is the default of Nuxt',
    file: config?.file,
    remedy: 'Make the build script "nuxt generate", or set ssr: false in nuxt.config',
  });
}

/** https://docs.astro.build/en/guides/on-demand-rendering/: static unless `output` says otherwise or an adapter is used. */
export function judgeAstro(project: Project): Rendering {
  const config = projectConfig(project, 'astro.config');
  const output = config?.text('output');
  const adapter = config?.value('adapter') !== undefined && config.value('adapter') !== null;
  const outDir = config?.path('outDir') ?? 'dist';
  if (output !== 'server' && output !== 'hybrid' && !adapter)
    return staticRendering(outDir, output ? `output: '${output}'` : 'static is the default of Astro', config?.file);
  const node = dependencyVersion(project, '@astrojs/node') !== undefined;
  return serverRendering({
    start: node ? `node ${outDir.replace(/^\.\//, '').replace(/\/+$/, '')}/server/entry.mjs` : undefined,
    rule: adapter ? 'an adapter' : `output: '${output}'`,
    file: config?.file,
    remedy: `Take output: 'server' and the adapter out of astro.config${node ? '' : ', or use the adapter @astrojs/node to deploy it as a backend'}`,
  });
}

/** https://svelte.dev/docs/kit/adapters: the adapter says what the build gives. */
export function svelteKit(project: Project): Rendering {
  const bases = ['svelte.config', 'vite.config'];
  const configs = bases.flatMap((base) => configFile(project, base) ?? []);
  const settings = bases.flatMap((base) => projectConfig(project, base) ?? []);
  const adapters = settings.flatMap((config) => {
    const call = config.value('kit', 'adapter');
    return isCallValue(call) ? [{ file: config.file, module: call.module, options: unwrapObject(call.args[0]) }] : [];
  });
  // An adapter that is only imported is not the one that is used, where that can be seen.
  const adapterNamed = (name: string) =>
    adapters.find(({ module }) => module === name) ??
    (adapters.some(({ module }) => module !== undefined)
      ? undefined
      : configs
          .filter(({ code }) => code.includes(name))
          .map(({ file }) => ({ file, module: name, options: adapters[0]?.options }))[0]);
  const option = (options: ReturnType<typeof unwrapObject>, key: string) => {
    const value = valueAt(options, key);
    return typeof value === 'string' ? value : undefined;
  };
  const forStatic = adapterNamed('@sveltejs/adapter-static');
  if (forStatic)
    return staticRendering(option(forStatic.options, 'pages') ?? 'build', 'adapter-static', forStatic.file);
  const remedy = 'Use @sveltejs/adapter-static in svelte.config.js';
  const forNode = adapterNamed('@sveltejs/adapter-node');
  if (forNode)
    return serverRendering({
      start: `node ${option(forNode.options, 'out') ?? 'build'}`,
      rule: 'adapter-node',
      file: forNode.file,
      remedy,
    });
  return serverRendering({
    rule: 'no adapter for static files or for Node',
    file: configs[0]?.file,
    remedy: `${remedy} for a static site, or @sveltejs/adapter-node for a backend`,
  });
}

/** https://reactrouter.com/how-to/spa: `ssr: false` gives `build/client`. */
export function reactRouter(project: Project): Rendering {
  const config = projectConfig(project, 'react-router.config');
  const folder = config?.path('buildDirectory') ?? 'build';
  if (config?.isSet(false, 'ssr')) return staticRendering(`${folder}/client`, 'ssr: false', config.file);
  const serves = dependencyVersion(project, '@react-router/serve') !== undefined;
  return serverRendering({
    start: serves ? `npx react-router-serve ./${folder}/server/index.js` : undefined,
    rule: 'server rendering is the default of React Router as a framework',
    file: config?.file,
    remedy: `Set ssr: false in react-router.config${serves ? '' : ', or add @react-router/serve (or a start script that runs a Node server) to deploy it as a backend'}`,
  });
}

/** https://remix.run/docs/en/main/guides/spa-mode: the Vite plugin's `ssr: false` gives `build/client`. */
export function judgeRemix(project: Project): Rendering {
  const vite = projectConfig(project, 'vite.config');
  const options = pluginOptions(vite, ['@remix-run/dev', 'remix', 'vitePlugin']);
  const folder = textAt(options, 'buildDirectory') ?? 'build';
  if (vite && valueAt(options, 'ssr') === false) return staticRendering(`${folder}/client`, 'ssr: false', vite.file);
  const serves = dependencyVersion(project, '@remix-run/serve') !== undefined;
  const bundle = vite ? `./${folder}/server/index.js` : 'build';
  return serverRendering({
    start: serves ? `npx remix-serve ${bundle}` : undefined,
    rule: 'Remix renders on a server',
    file: vite?.file,
    remedy: `Set ssr: false of the Remix plugin in vite.config${serves ? '' : ', or add @remix-run/serve (or a start script that runs a Node server) to deploy it as a backend'}`,
  });
}

/** https://nitro.build/deploy/runtimes/node */
export function judgeNitro(project: Project): Rendering {
  const config = projectConfig(project, 'nitro.config');
  if (config && isStaticPreset(config.text('preset')))
    return staticRendering('.output/public', 'preset static', config.file);
  const foreign = foreignPreset(project, config?.text('preset'));
  if (foreign !== undefined) return builtForAnotherHost(foreign, config?.file);
  return serverRendering({
    start: 'node .output/server/index.mjs',
    rule: 'Nitro builds a server',
    file: config?.file,
    remedy: "Set preset: 'static' in nitro.config",
  });
}

/** https://docs.solidjs.com/solid-start/reference/config/define-config: `ssr: false` still builds a server. */
export function solidStart(project: Project): Rendering {
  const config = projectConfig(project, 'app.config');
  if (config && isStaticPreset(config.text('server', 'preset')))
    return staticRendering('.output/public', 'preset static', config.file);
  const foreign = foreignPreset(project, config?.text('server', 'preset'));
  if (foreign !== undefined) return builtForAnotherHost(foreign, config?.file);
  return serverRendering({
    start: 'node .output/server/index.mjs',
    rule: 'SolidStart renders on a server',
    file: config?.file,
    remedy: "Set server: { preset: 'static' } in app.config",
  });
}

/** https://analogjs.org/docs/features/server/static-site-generation */
export function judgeAnalog(project: Project): Rendering {
  const vite = projectConfig(project, 'vite.config');
  const options = pluginOptions(vite, ['@analogjs/platform', 'analog']);
  if (vite && (valueAt(options, 'ssr') === false || valueAt(options, 'static') === true))
    return staticRendering('dist/analog/public', 'static: true or ssr: false', vite.file);
  return serverRendering({
    start: 'node dist/analog/server/index.mjs',
    rule: 'Analog renders on a server',
    file: vite?.file,
    remedy: 'Set static: true of the Analog plugin in vite.config',
  });
}

/** https://tanstack.com/start/latest/docs/framework/react/guide/spa-mode */
export function tanstackStart(project: Project): Rendering {
  const vite = projectConfig(project, 'vite.config') ?? projectConfig(project, 'rsbuild.config');
  const modules = ['@tanstack/react-start/plugin/vite', '@tanstack/solid-start/plugin/vite', 'tanstackStart'];
  if (vite && valueAt(pluginOptions(vite, modules), 'spa', 'enabled') === true)
    return staticRendering('dist/client', 'spa: { enabled: true }', vite.file);
  const withNitro = ['nitro', 'nitropack', 'vinxi', '@tanstack/nitro-v2-vite-plugin'].some(
    (name) => dependencyVersion(project, name) !== undefined,
  );
  return serverRendering({
    start: withNitro ? 'node .output/server/index.mjs' : undefined,
    rule: 'TanStack Start renders on a server',
    file: vite?.file,
    remedy: `Set spa: { enabled: true } of the plugin in vite.config${withNitro ? '' : ', or add nitro to deploy it as a backend'}`,
  });
}

/** https://shopify.dev/docs/storefronts/headless/hydrogen/deployments */
export const judgeHydrogen = (): Rendering =>
  serverRendering({
    rule: 'Hydrogen renders on a server',
    remedy: 'Deploy it to a host for Hydrogen: it has no static export',
  });

/** https://docs.redwoodjs.com/docs/deployment/introduction */
export const judgeRedwood = (): Rendering =>
  serverRendering({
    start: 'yarn rw serve',
    rule: 'Redwood has a server side',
    remedy: 'Deploy its folder "web" by itself',
  });

/** https://waku.gg: static only where every page is, which nothing says in advance. */
export const judgeWaku = (): Rendering =>
  serverRendering({ start: 'npx waku start', rule: 'Waku has a server', remedy: 'Give "frontend.outputDirectory"' });

/** https://vike.dev/prerender */
export function judgeVike(project: Project): Rendering {
  const vite = projectConfig(project, 'vite.config');
  const own = pluginOptions(vite, ['vike/plugin', 'vike', 'vite-plugin-ssr/plugin']);
  const shared = ['+config', 'pages/+config', 'renderer/+config'].flatMap(
    (base) => projectConfig(project, base) ?? [],
  )[0];
  const prerender = valueAt(own, 'prerender') ?? shared?.value('prerender');
  if (vite && prerender !== undefined && prerender !== false && prerender !== null)
    return staticRendering('dist/client', 'prerender', vite.file);
  return serverRendering({
    rule: 'Vike renders on a server',
    file: vite?.file,
    remedy: 'Set prerender: true for Vike in vite.config, or add a start script to deploy it as a backend',
  });
}

/** https://qwik.dev/docs/deployments/static/: which adapter is there says what is built. */
export function qwikCity(project: Project): Rendering {
  const adapter = join(project.dir, 'adapters/static');
  if (project.repo.isDirectory(adapter)) return staticRendering('dist', 'the static adapter', adapter);
  const entry = ['express', 'fastify'].find((name) => fileIn(project, `src/entry.${name}.tsx`));
  return serverRendering({
    start: entry && `node server/entry.${entry}`,
    rule: 'no static adapter',
    remedy: `Add the static adapter (qwik add static)${entry ? '' : ', or the express adapter to deploy it as a backend'}`,
  });
}

/** The object that a plugin of a configuration is called with. */
function pluginOptions(config: ProgramConfig | undefined, names: readonly string[]) {
  const call = config?.plugin(names);
  return call && unwrapObject(call.args[0]);
}

function textAt(value: ReturnType<typeof unwrapObject>, key: string): string | undefined {
  const found = valueAt(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** The preset of Nitro by the build script or the configuration, where what it builds does not run with Node or Bun. */
function foreignPreset(project: Project, configured: string | undefined): string | undefined {
  const commands = scriptCommands(project, 'build');
  const said = commands
    .map(
      (command) =>
        command.variables.get('NITRO_PRESET') ??
        command.variables.get('SERVER_PRESET') ??
        optionOf(command, ['--preset']),
    )
    .find((value) => value !== undefined);
  const preset = (said ?? configured)?.replaceAll('-', '_');
  return preset !== undefined &&
    !/^(?:node|bun|static|github_pages|nitro_|base|heroku|render|digital_ocean|koyeb|flight_control|zeabur$|iis|cleavr|platform_sh|genezio)/.test(
      preset,
    )
    ? preset
    : undefined;
}

const builtForAnotherHost = (preset: string, file: string | undefined): ServerRendering =>
  serverRendering({
    rule: `the preset ${preset.slice(0, 60)} builds for another host`,
    file,
    remedy: 'Take the preset away (or set it to node-server) to deploy it as a backend, or set it to static',
  }) as ServerRendering;

/** Presets of Nitro that write files only. Source: https://nitro.build/deploy#static */
const isStaticPreset = (preset: string | undefined): boolean =>
  preset === 'static' || preset === 'github-pages' || preset === 'github_pages';

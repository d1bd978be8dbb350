import { join } from '../../../shared/repo/repoFs.ts';
import { angularRendering } from './angular.ts';
import type { FoundFramework } from './frameworkTable.ts';
import { configFile, dependency, fileIn, type Project, script } from './project.ts';
import { hasSetting, stringSetting } from './sourceText.ts';

/** Whether the build gives files to publish or a server to run. */
export type Rendering =
  | {
      readonly kind: 'static';
      readonly output?: string | undefined;
      readonly rule: string;
      readonly file?: string | undefined;
    }
  | {
      readonly kind: 'server';
      /** Runs the built server; absent where the framework has none outside of a platform of its own. */
      readonly start?: string | undefined;
      readonly rule: string;
      readonly file?: string | undefined;
      /** The setting that would make it a static site. */
      readonly remedy: string;
    };

type Rule = (project: Project, framework: FoundFramework) => Rendering;

/**
 * How each framework that can render on a server says which it does. A framework without a rule here gives static
 * files. Sources: each framework's own page about deployment or static export.
 */
const RULES: Readonly<Record<string, Rule>> = {
  nextjs: next,
  blitzjs: next,
  nuxtjs: nuxt,
  astro,
  'sveltekit-1': svelteKit,
  'react-router': reactRouter,
  remix: remix,
  angular: angularRendering,
  'ionic-angular': () => ({ kind: 'static', output: 'www', rule: 'Ionic builds to www' }),
  nitro: nitro,
  'solidstart-1': solidStart,
  analog: analog,
  'tanstack-start': tanstack,
  'tanstack-start-lovable': tanstack,
  hydrogen: (p) => server(p, undefined, 'Hydrogen renders on a server', 'Hydrogen has no static export'),
  redwoodjs: (p) =>
    server(p, undefined, 'Redwood has a server side', 'deploy its web side alone, with "frontend.path": "web"'),
  waku: waku,
  vike: vike,
  'qwik-city': qwik,
};

export const renderingOf = (project: Project, framework: FoundFramework): Rendering =>
  RULES[framework.slug]?.(project, framework) ?? { kind: 'static', rule: `${framework.name} builds static files` };

function server(_project: Project, start: string | undefined, rule: string, remedy: string, file?: string): Rendering {
  return { kind: 'server', start, rule, remedy, file };
}
const statically = (output: string, rule: string, file?: string): Rendering => ({ kind: 'static', output, rule, file });

/** https://nextjs.org/docs/app/guides/static-exports: `output: 'export'` writes `out` (or `distDir`); before 13.3, `next export`. */
function next(project: Project): Rendering {
  const config = configFile(project, 'next.config');
  const output = config && stringSetting(config.code, 'output');
  if (config && output === 'export')
    return statically(stringSetting(config.code, 'distDir') ?? 'out', "output: 'export'", config.file);
  const build = script(project, 'build');
  if (/\bnext export\b/.test(build))
    return statically(
      /\bnext export\b.{0,200}?\s(?:-o|--outdir)[ =](\S+)/.exec(build)?.[1] ?? 'out',
      'the build script runs next export',
      join(project.dir, 'package.json'),
    );
  return server(
    project,
    'npx next start',
    "no output: 'export'",
    "Set output: 'export' in next.config, or deploy it as a backend.",
    config?.file,
  );
}

/** https://nuxt.com/docs/getting-started/deployment: `nuxt generate` and `ssr: false` give static files; Nuxt 2 has `target: 'static'`. */
function nuxt(project: Project): Rendering {
  const config = configFile(project, 'nuxt.config');
  const major = /\d+/.exec(dependency(project, 'nuxt') ?? '3')?.[0];
  const output = major === '2' ? 'dist' : '.output/public';
  const build = script(project, 'build');
  if (
    /\bnux(?:t|i) generate\b/.test(build) ||
    (build === '' && /\bnux(?:t|i) generate\b/.test(script(project, 'generate')))
  )
    return statically(output, 'the script runs nuxt generate', join(project.dir, 'package.json'));
  if (config && hasSetting(config.code, 'ssr', 'false') && major !== '2')
    return statically(output, 'ssr: false', config.file);
  if (config && stringSetting(config.code, 'preset')?.startsWith('static'))
    return statically(output, 'nitro preset static', config.file);
  return server(
    project,
    major === '2' ? 'npx nuxt start' : 'node .output/server/index.mjs',
    'server rendering is the default of Nuxt',
    'Make the build script "nuxt generate", or set ssr: false in nuxt.config, or deploy it as a backend.',
    config?.file,
  );
}

/** https://docs.astro.build/en/guides/on-demand-rendering/: static unless `output` is `server` or `hybrid`, or an adapter is used. */
function astro(project: Project): Rendering {
  const config = configFile(project, 'astro.config');
  const output = config && stringSetting(config.code, 'output');
  const outDir = (config && stringSetting(config.code, 'outDir')) ?? 'dist';
  if (output !== 'server' && output !== 'hybrid')
    return statically(outDir, output ? `output: '${output}'` : 'static is the default of Astro', config?.file);
  const node = dependency(project, '@astrojs/node') !== undefined;
  return server(
    project,
    node ? `node ${outDir.replace(/^\.\//, '')}/server/entry.mjs` : undefined,
    `output: '${output}'`,
    "Set output: 'static' in astro.config, or add the adapter @astrojs/node and deploy it as a backend.",
    config?.file,
  );
}

/** https://svelte.dev/docs/kit/adapters: the adapter says what the build gives. */
function svelteKit(project: Project): Rendering {
  const config = configFile(project, 'svelte.config') ?? configFile(project, 'vite.config');
  const uses = (adapter: string) =>
    config ? config.code.includes(adapter) : dependency(project, adapter) !== undefined;
  if (uses('@sveltejs/adapter-static'))
    return statically((config && stringSetting(config.code, 'pages')) ?? 'build', 'adapter-static', config?.file);
  if (uses('@sveltejs/adapter-node'))
    return server(
      project,
      `node ${(config && stringSetting(config.code, 'out')) ?? 'build'}`,
      'adapter-node',
      'Use @sveltejs/adapter-static in svelte.config.js.',
      config?.file,
    );
  return server(
    project,
    undefined,
    'no adapter for static files or for Node',
    'Use @sveltejs/adapter-static in svelte.config.js for a static site, or @sveltejs/adapter-node for a backend.',
    config?.file,
  );
}

/** https://reactrouter.com/how-to/spa: `ssr: false` gives `build/client`. */
function reactRouter(project: Project): Rendering {
  const config = configFile(project, 'react-router.config');
  const folder = (config && stringSetting(config.code, 'buildDirectory')) ?? 'build';
  if (config && hasSetting(config.code, 'ssr', 'false'))
    return statically(`${folder}/client`, 'ssr: false', config.file);
  return server(
    project,
    `npx react-router-serve ./${folder}/server/index.js`,
    'server rendering is the default of React Router as a framework',
    'Set ssr: false in react-router.config, or deploy it as a backend.',
    config?.file,
  );
}

/** https://remix.run/docs/en/main/guides/spa-mode: the Vite plugin's `ssr: false` gives `build/client`. */
function remix(project: Project): Rendering {
  const vite = configFile(project, 'vite.config');
  if (vite && hasSetting(vite.code, 'ssr', 'false')) return statically('build/client', 'ssr: false', vite.file);
  return server(
    project,
    vite ? 'npx remix-serve ./build/server/index.js' : 'npx remix-serve build',
    'Remix renders on a server',
    'Set ssr: false of the Remix plugin in vite.config, or deploy it as a backend.',
    vite?.file,
  );
}

/** https://nitro.build/deploy */
function nitro(project: Project): Rendering {
  return server(
    project,
    'node .output/server/index.mjs',
    'Nitro builds a server',
    'Nitro has no static site of its own; use the preset "static".',
  );
}

/** https://docs.solidjs.com/solid-start: `ssr: false` still builds a server; the preset `static` does not. */
function solidStart(project: Project): Rendering {
  const config = configFile(project, 'app.config');
  if (config && stringSetting(config.code, 'preset') === 'static')
    return statically('.output/public', 'preset static', config.file);
  return server(
    project,
    'node .output/server/index.mjs',
    'SolidStart renders on a server',
    "Set server: { preset: 'static' } in app.config, or deploy it as a backend.",
    config?.file,
  );
}

/** https://analogjs.org/docs/features/server/static-site-generation */
function analog(project: Project): Rendering {
  const vite = configFile(project, 'vite.config');
  if (vite && (hasSetting(vite.code, 'ssr', 'false') || hasSetting(vite.code, 'static', 'true')))
    return statically('dist/analog/public', 'static: true or ssr: false', vite.file);
  return server(
    project,
    'node dist/analog/server/index.mjs',
    'Analog renders on a server',
    'Set static: true of the Analog plugin in vite.config, or deploy it as a backend.',
    vite?.file,
  );
}

/** https://tanstack.com/start/latest/docs/framework/react/guide/spa-mode */
function tanstack(project: Project): Rendering {
  const vite = configFile(project, 'vite.config');
  const spa = vite && /(?<![\w$])spa\s{0,9}:\s{0,9}\{\s{0,20}enabled\s{0,9}:\s{0,9}true/.test(vite.code);
  if (spa) return statically('dist/client', 'spa: { enabled: true }', vite.file);
  const withNitro = dependency(project, 'nitro') !== undefined || dependency(project, 'nitropack') !== undefined;
  return server(
    project,
    withNitro ? 'node .output/server/index.mjs' : undefined,
    'TanStack Start renders on a server',
    'Set spa: { enabled: true } of the plugin in vite.config, or add nitro and deploy it as a backend.',
    vite?.file,
  );
}

/** https://waku.gg: static only when every page is; nothing says so in advance. */
function waku(project: Project): Rendering {
  return server(project, 'npx waku start', 'Waku has a server', 'Deploy it as a backend.');
}

/** https://vike.dev/prerender */
function vike(project: Project): Rendering {
  const vite = configFile(project, 'vite.config');
  const prerenders = vite && /(?<![\w$])prerender\s{0,9}:\s{0,9}(?:true|\{)/.test(vite.code);
  if (prerenders) return statically('dist/client', 'prerender', vite.file);
  return server(
    project,
    undefined,
    'Vike renders on a server',
    'Set prerender: true for Vike in vite.config, or add a start script and deploy it as a backend.',
    vite?.file,
  );
}

/** https://qwik.dev/docs/guides/static-site-generation/: the adapter's folder says what is built. */
function qwik(project: Project): Rendering {
  if (project.repo.isDirectory(join(project.dir, 'adapters/static')))
    return statically('dist', 'the static adapter', join(project.dir, 'adapters/static'));
  const hasEntry = fileIn(project, 'src/entry.express.tsx') || fileIn(project, 'src/entry.fastify.tsx');
  return server(
    project,
    hasEntry ? 'npm run serve' : undefined,
    'no static adapter',
    'Add the static adapter (qwik add static), or the express adapter and deploy it as a backend.',
  );
}

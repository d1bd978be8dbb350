import { isCallValue, unwrapObject } from '../config/values.ts';
import type { FrameworkRules, Rendering } from '../framework.ts';
import { serverRendering, staticRendering, textAt } from '../frameworkSettings.ts';
import { configFile, type Project, projectConfig } from '../project.ts';

/** https://svelte.dev/docs/kit/adapters: the adapter says what the build gives. */
function judgeSvelteKit(project: Project): Rendering {
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
  const forStatic = adapterNamed('@sveltejs/adapter-static');
  if (forStatic)
    return staticRendering(textAt(forStatic.options, 'pages') ?? 'build', 'adapter-static', forStatic.file);
  const remedy = 'Use @sveltejs/adapter-static in svelte.config.js';
  const forNode = adapterNamed('@sveltejs/adapter-node');
  if (forNode)
    return serverRendering({
      start: `node ${textAt(forNode.options, 'out') ?? 'build'}`,
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

export const sveltekit: FrameworkRules = {
  slug: 'sveltekit-1',
  signs: ['@sveltejs/kit'],
  configs: ['svelte.config', 'vite.config'],
  rendering: judgeSvelteKit,
};

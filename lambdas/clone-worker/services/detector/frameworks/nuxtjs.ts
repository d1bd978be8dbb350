import { scriptCommands } from '../commandLine.ts';
import type { FrameworkRules, Rendering } from '../framework.ts';
import { fileOf, serverRendering, staticRendering } from '../frameworkSettings.ts';
import { builtForAnotherHost, foreignPreset, isStaticPreset } from '../nitroPresets.ts';
import { dependencyVersion, type Project, projectConfig, scriptOf } from '../project.ts';

const majorOf = (range: string | undefined) => /\d+/.exec(range ?? '')?.[0];

/** https://nuxt.com/docs/getting-started/deployment: `nuxt generate` and `ssr: false` give static files. */
function judgeNuxt(project: Project): Rendering {
  const config = projectConfig(project, 'nuxt.config');
  const two = majorOf(dependencyVersion(project, 'nuxt')) === '2';
  const named = two ? config?.path('generate', 'dir') : config?.path('nitro', 'output', 'publicDir');
  const output = named ?? (two ? 'dist' : '.output/public');
  const name = scriptOf(project, 'build') === '' ? 'generate' : 'build';
  if (scriptCommands(project, name).some((c) => /^nux(?:t|i)$/.test(c.program) && c.args[0] === 'generate'))
    return staticRendering(output, 'the script runs nuxt generate', fileOf(project, 'package.json'));
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

export const nuxtjs: FrameworkRules = {
  slug: 'nuxtjs',
  configs: ['nuxt.config'],
  rendering: judgeNuxt,
  programs: ['nuxi'],
  otherScript: 'generate',
};

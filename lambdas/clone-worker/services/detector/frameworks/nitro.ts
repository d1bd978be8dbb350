import type { FrameworkRules, Rendering } from '../framework.ts';
import { serverRendering, staticRendering } from '../frameworkSettings.ts';
import { builtForAnotherHost, foreignPreset, isStaticPreset } from '../nitroPresets.ts';
import { type Project, projectConfig } from '../project.ts';

/** https://nitro.build/deploy/runtimes/node */
function judgeNitro(project: Project): Rendering {
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

export const nitro: FrameworkRules = {
  slug: 'nitro',
  configs: ['nitro.config'],
  rendering: judgeNitro,
  isApi: true,
  strength: 45,
};

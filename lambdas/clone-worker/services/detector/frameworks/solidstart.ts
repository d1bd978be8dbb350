import type { FrameworkRules, Rendering } from '../framework.ts';
import { serverRendering, staticRendering } from '../frameworkSettings.ts';
import { builtForAnotherHost, foreignPreset, isStaticPreset } from '../nitroPresets.ts';
import { type Project, projectConfig } from '../project.ts';

/** https://docs.solidjs.com/solid-start/reference/config/define-config: `ssr: false` still builds a server. */
function judgeSolidStart(project: Project): Rendering {
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

export const solidstart: FrameworkRules = {
  slug: 'solidstart-1',
  configs: ['app.config'],
  rendering: judgeSolidStart,
};

import { valueAt } from '../config/values.ts';
import type { FrameworkRules, Rendering } from '../framework.ts';
import { pluginOptions, serverRendering, staticRendering, textAt } from '../frameworkSettings.ts';
import { dependencyVersion, type Project, projectConfig } from '../project.ts';

/** https://remix.run/docs/en/main/guides/spa-mode: the Vite plugin's `ssr: false` gives `build/client`. */
function judgeRemix(project: Project): Rendering {
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

export const remix: FrameworkRules = { slug: 'remix', configs: ['remix.config', 'vite.config'], rendering: judgeRemix };

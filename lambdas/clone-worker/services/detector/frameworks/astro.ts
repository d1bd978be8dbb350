import type { FrameworkRules, Rendering } from '../framework.ts';
import { serverRendering, staticRendering } from '../frameworkSettings.ts';
import { dependencyVersion, type Project, projectConfig } from '../project.ts';

/** https://docs.astro.build/en/guides/on-demand-rendering/: static unless `output` says otherwise or an adapter is used. */
function judgeAstro(project: Project): Rendering {
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

export const astro: FrameworkRules = { slug: 'astro', configs: ['astro.config'], rendering: judgeAstro };

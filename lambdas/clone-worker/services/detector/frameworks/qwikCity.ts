import type { FrameworkRules, Rendering } from '../framework.ts';
import { fileOf, serverRendering, staticRendering } from '../frameworkSettings.ts';
import { fileIn, type Project } from '../project.ts';

/** https://qwik.dev/docs/deployments/static/: which adapter is there says what is built. */
function judgeQwikCity(project: Project): Rendering {
  const adapter = fileOf(project, 'adapters/static');
  if (project.repo.isDirectory(adapter)) return staticRendering('dist', 'the static adapter', adapter);
  const entry = ['express', 'fastify'].find((name) => fileIn(project, `src/entry.${name}.tsx`));
  return serverRendering({
    start: entry && `node server/entry.${entry}`,
    rule: 'no static adapter',
    remedy: `Add the static adapter (qwik add static)${entry ? '' : ', or the express adapter to deploy it as a backend'}`,
  });
}

export const qwikCity: FrameworkRules = {
  slug: 'qwik-city',
  rows: [
    {
      name: 'Qwik City',
      dependencies: ['@builder.io/qwik-city'],
      buildCommand: 'qwik build',
      outputDirectory: 'dist',
      supersedes: ['vite'],
    },
  ],
  rendering: judgeQwikCity,
};

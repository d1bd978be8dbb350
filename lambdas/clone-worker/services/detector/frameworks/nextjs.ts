import type { FrameworkRules, Rendering } from '../framework.ts';
import { fileOf, serverRendering, staticRendering } from '../frameworkSettings.ts';
import { type Project, projectConfig, scriptOf } from '../project.ts';

/** https://nextjs.org/docs/app/guides/static-exports: `output: 'export'` writes `out` or `distDir`; `next export` before 14. */
function judgeNext(project: Project): Rendering {
  const config = projectConfig(project, 'next.config');
  if (config?.text('output') === 'export')
    return staticRendering(config.path('distDir') ?? 'out', "output: 'export'", config.file);
  const build = scriptOf(project, 'build');
  if (/\bnext export\b/.test(build)) {
    const folder = /\bnext export\b.{0,200}?\s(?:-o|--outdir)[ =](\S+)/.exec(build)?.[1];
    return staticRendering(folder ?? 'out', 'the build script runs next export', fileOf(project, 'package.json'));
  }
  return serverRendering({
    start: 'npx next start',
    rule: "no output: 'export'",
    file: config?.file,
    remedy: "Set output: 'export' in next.config",
  });
}

export const nextjs: FrameworkRules = {
  slug: 'nextjs',
  configs: ['next.config'],
  rendering: judgeNext,
  // Beside these lie `fetch-cache` and `images`: what was fetched.
  compiledFolders: ['webpack', 'swc', 'eslint', 'turbopack', '.tsbuildinfo'].map((name) => `.next/cache/${name}`),
};

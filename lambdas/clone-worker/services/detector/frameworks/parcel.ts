import { join } from '../../../../../contract/repo-fs.ts';
import type { Configured, FrameworkRules } from '../framework.ts';
import type { Project } from '../project.ts';

/** `targets.<name>.distDir` of package.json. Source: https://parceljs.org/features/targets/ */
function parcelOutput(project: Project): Configured | undefined {
  const { targets } = project.pkg.raw;
  if (typeof targets !== 'object' || targets === null) return undefined;
  for (const target of Object.values(targets as Record<string, unknown>)) {
    const distDir = (target as { distDir?: unknown } | null)?.distDir;
    if (typeof distDir === 'string')
      return { path: distDir, rule: 'targets of package.json', file: join(project.dir, 'package.json') };
  }
  return undefined;
}

export const parcel: FrameworkRules = {
  slug: 'parcel',
  rows: [
    {
      name: 'Parcel',
      dependencies: ['parcel-bundler'],
      buildCommand: 'parcel build',
      outputDirectory: 'dist',
    },
  ],
  bundles: true,
  output: parcelOutput,
  programs: ['parcel-bundler'],
  outputOptions: ['-d'],
};

import { join } from '../../../../contract/repo-fs.ts';
import type { ParsedCommand } from './commandLine.ts';
import type { Configured } from './framework.ts';
import { rulesOf } from './frameworks/index.ts';
import { viteOutput } from './frameworks/vite.ts';
import type { FoundFramework } from './frameworkTable.ts';
import { dependencyVersion, fileIn, type Project, projectConfig, scriptOf } from './project.ts';
import { parseJsonc } from './sourceText.ts';

/** The output that a framework's configuration names; a project that Vite builds is asked for Vite's too. */
export function configuredOutput(
  project: Project,
  framework: FoundFramework,
  commands: readonly ParsedCommand[],
): Configured | undefined {
  const own = rulesOf(framework.slug).output;
  if (own) return own(project, commands);
  return dependencyVersion(project, 'vite') === undefined ? undefined : viteOutput(project, commands);
}

/** Library mode makes no page. Source: https://vite.dev/guide/build#library-mode */
export function buildsLibrary(project: Project): boolean {
  const config = projectConfig(project, 'vite.config');
  const lib = config?.value('build', 'lib');
  return (
    lib !== undefined && lib !== false && lib !== null && !/--mode|BUILD|site|demo/.test(scriptOf(project, 'build'))
  );
}

/** `assets.directory` of wrangler's configuration: what a Worker serves as files. */
export function workerAssets(project: Project): { file: string; directory: string | undefined } | undefined {
  for (const name of ['wrangler.jsonc', 'wrangler.json']) {
    if (!fileIn(project, name)) continue;
    const file = join(project.dir, name);
    const config = parseJsonc(project.repo.text(file) ?? '') as { assets?: { directory?: unknown } } | undefined;
    const directory = config?.assets?.directory;
    return { file, directory: typeof directory === 'string' ? directory : undefined };
  }
  if (!fileIn(project, 'wrangler.toml')) return undefined;
  const file = join(project.dir, 'wrangler.toml');
  const directory = /^\s{0,9}directory\s{0,9}=\s{0,9}["']([^"']{1,200})["']/m.exec(project.repo.text(file) ?? '')?.[1];
  return { file, directory };
}

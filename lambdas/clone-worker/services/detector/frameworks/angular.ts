import { join } from '../../../../../contract/repo-fs.ts';
import { optionOf, scriptCommands } from '../commandLine.ts';
import type { FrameworkRules, Rendering } from '../framework.ts';
import type { Project } from '../project.ts';
import { parseJsonc } from '../sourceText.ts';

type Json = Readonly<Record<string, unknown>>;
const objectOf = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});

/**
 * What `ng build` gives, read from angular.json: the `application` builder writes the browser's files to
 * `<outputPath>/browser`, the older `browser` builder to `<outputPath>`. Server rendering since version 19 is
 * `outputMode: 'server'`, before that `ssr`. Source: https://angular.dev/reference/configs/workspace-config
 */
function judgeAngular(project: Project): Rendering {
  const file = join(project.dir, 'angular.json');
  const chosen = defaultApplication(objectOf(parseJsonc(project.repo.text(file) ?? '')));
  if (!chosen) return { kind: 'static', rule: 'no application in angular.json' };
  const build = objectOf(objectOf(chosen.config.architect ?? chosen.config.targets).build);
  const options = { ...objectOf(build.options), ...chosenConfiguration(project, build) };
  const { base, browser } = outputPath(options.outputPath, `dist/${chosen.name}`);
  const renders = options.ssr !== undefined && options.ssr !== false;
  if (renders && options.outputMode !== 'static')
    return {
      kind: 'server',
      start: `node ${base}/server/server.mjs`,
      rule: 'ssr in angular.json',
      file,
      remedy: 'Set "outputMode": "static" in angular.json',
    };
  const modern = typeof build.builder === 'string' && /:application$/.test(build.builder);
  return {
    kind: 'static',
    output: modern && browser !== '' ? `${base}/${browser}` : base,
    rule: 'outputPath in angular.json',
    file,
  };
}

/** What `--configuration` of the build script, or else the default one, changes. */
function chosenConfiguration(project: Project, build: Json): Json {
  const command = scriptCommands(project, 'build').find(({ program }) => program === 'ng');
  const named = command && optionOf(command, ['-c', '--configuration']);
  const name = named ?? (typeof build.defaultConfiguration === 'string' ? build.defaultConfiguration : undefined);
  return name === undefined ? {} : objectOf(objectOf(build.configurations)[name.split(',')[0]!]);
}

function defaultApplication(workspace: Json): { name: string; config: Json } | undefined {
  const projects = Object.entries(objectOf(workspace.projects)).map(([name, value]) => ({
    name,
    config: objectOf(value),
  }));
  const applications = projects.filter(({ config }) => (config.projectType ?? 'application') === 'application');
  return applications.find(({ name }) => name === workspace.defaultProject) ?? applications[0];
}

/** A text, or `{base, browser}` where `browser` may be empty. */
function outputPath(value: unknown, fallback: string): { base: string; browser: string } {
  const plainPath = (text: string) => text.replace(/^\.\//, '').replace(/\/+$/, '');
  if (typeof value === 'string') return { base: plainPath(value), browser: 'browser' };
  const { base, browser } = objectOf(value);
  return {
    base: typeof base === 'string' ? plainPath(base) : fallback,
    browser: typeof browser === 'string' ? browser : 'browser',
  };
}

export const angular: FrameworkRules = {
  slug: 'angular',
  files: ['angular.json'],
  signFiles: ['angular.json'],
  rendering: judgeAngular,
  compiledFolders: ['.angular/cache'],
};

/** Built by Angular's own command, and so cached as Angular is. */
export const ionicAngular: FrameworkRules = { slug: 'ionic-angular', compiledFolders: angular.compiledFolders! };
export const scully: FrameworkRules = { slug: 'scully', compiledFolders: angular.compiledFolders! };

import type { PackageManager } from '../../../../contract/plan.ts';
import { join } from '../../../../contract/repo-fs.ts';
import { rulesOf } from './frameworks/index.ts';
import type { FoundFramework } from './frameworkTable.ts';
import { buildScriptOf, ownCommands } from './outputDirectory.ts';
import type { Project } from './project.ts';
import { scriptOf } from './project.ts';
import { parseJsonc } from './sourceText.ts';
import { runBinary, runScript } from './startCommand.ts';
import { pathBetween, type Workspace } from './workspaces.ts';

export interface Build {
  readonly command: string;
  readonly rule: string;
  readonly file?: string | undefined;
}

export interface PackageBuild {
  readonly manager: PackageManager['name'];
  readonly workspace: Workspace | undefined;
  /** Folders of the workspace's packages by name. */
  readonly packages: ReadonlyMap<string, string>;
}

/** The build of one package, with the workspace packages before it that it needs. Undefined where nothing is built. */
export function buildOf(
  project: Project,
  framework: FoundFramework | undefined,
  context: PackageBuild,
): Build | undefined {
  const own = ownBuild(project, framework, context.manager);
  const { workspace } = context;
  if (!own || !workspace || workspace.root === project.dir) return own;
  return own.rule === 'scripts.build'
    ? (findOrchestrated(project, workspace, context) ?? withDependencies(project, own, context))
    : withDependencies(project, own, context);
}

function ownBuild(
  project: Project,
  framework: FoundFramework | undefined,
  manager: PackageManager['name'],
): Build | undefined {
  const file = join(project.dir, 'package.json');
  const rules = framework && rulesOf(framework.slug);
  if (framework && rules?.scripts) {
    const name = rules.scripts.find((script) => scriptOf(project, script) !== '');
    return name === undefined
      ? { command: runBinary(manager, framework.buildCommand ?? ''), rule: `default of ${framework.name}` }
      : { command: runScript(manager, name), rule: `scripts.${name}`, file };
  }
  const name = buildScriptOf(project, framework);
  if (name !== 'build') return { command: runScript(manager, name), rule: `scripts.${name}`, file };
  // A library's own build makes no documentation.
  const documents = framework && rules?.documents && ownCommands(project, framework).length === 0;
  const describesItself = scriptOf(project, 'build') !== '' && !(documents && project.pkg.isLibrary);
  if (describesItself) return { command: runScript(manager, 'build'), rule: 'scripts.build', file };
  const other = rules?.otherScript;
  if (other !== undefined && scriptOf(project, other) !== '')
    return { command: runScript(manager, other), rule: `scripts.${other}`, file };
  if (framework?.buildCommand === undefined) return undefined;
  const fitting = rules?.defaultBuild?.(project);
  if (fitting) return { ...fitting, command: runBinary(manager, fitting.command) };
  return { command: runBinary(manager, framework.buildCommand), rule: `default of ${framework.name}` };
}

/** Turborepo, Nx and Lerna know what must be built first. Sources: their documentation of `--filter`, `nx build`, `--scope`. */
function findOrchestrated(project: Project, workspace: Workspace, { manager }: PackageBuild): Build | undefined {
  const { repo, pkg } = project;
  const name = pkg.name;
  const root = repo.packageJson(workspace.root);
  const hasTool = (tool: string) => root?.dependencies.has(tool) === true || root?.devDependencies.has(tool) === true;
  if (name === undefined || !/^[@\w./-]{1,214}$/.test(name)) return undefined;
  const turboFile = ['turbo.json', 'turbo.jsonc'].map((f) => join(workspace.root, f)).find((f) => repo.has(f));
  if (turboFile !== undefined && hasTool('turbo') && hasTask(parseJsonc(repo.text(turboFile) ?? ''), name))
    return { command: runBinary(manager, `turbo run build --filter=${name}`), rule: 'turborepo', file: turboFile };
  const nxFile = join(workspace.root, 'nx.json');
  if (repo.has(nxFile) && hasTool('nx'))
    return { command: runBinary(manager, `nx build ${name}`), rule: 'nx', file: nxFile };
  const lernaFile = join(workspace.root, 'lerna.json');
  if (repo.has(lernaFile) && hasTool('lerna'))
    return {
      command: runBinary(manager, `lerna run build --scope=${name} --include-dependencies`),
      rule: 'lerna',
      file: lernaFile,
    };
  return undefined;
}

/** `tasks` since version 2, `pipeline` before. */
function hasTask(config: unknown, name: string): boolean {
  const { tasks, pipeline } = (config ?? {}) as { tasks?: unknown; pipeline?: unknown };
  const table = tasks ?? pipeline;
  return typeof table === 'object' && table !== null && ('build' in table || `${name}#build` in table);
}

/** Builds the workspace packages first that this one depends on and that have a build script. */
function withDependencies(project: Project, own: Build, { manager, packages }: PackageBuild): Build {
  const order: string[] = [];
  const seen = new Set([project.dir]);
  const visitPackage = (dir: string) => {
    const pkg = project.repo.packageJson(dir);
    for (const names of [pkg?.dependencies, pkg?.devDependencies])
      for (const name of names?.keys() ?? []) {
        const next = packages.get(name);
        if (next === undefined || seen.has(next)) continue;
        seen.add(next);
        visitPackage(next);
        if (project.repo.packageJson(next)?.scripts.has('build')) order.push(next);
      }
  };
  visitPackage(project.dir);
  if (order.length === 0 || order.some((dir) => !/^[\w@./-]+$/.test(dir))) return own;
  const steps = order.map((dir) => `(cd ${pathBetween(project.dir, dir)} && ${runScript(manager, 'build')})`);
  return {
    ...own,
    command: [...steps, own.command].join(' && '),
    rule: `${own.rule}, after the workspace packages it depends on`,
  };
}

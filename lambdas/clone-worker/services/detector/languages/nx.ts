import { join, upward } from '../../../../../contract/repo-fs.ts';
import type { ServerRendering } from '../framework.ts';
import { type FoundFramework, findFrameworkBySlug } from '../frameworkTable.ts';
import type { Language, LanguageContext, Proposal } from '../language.ts';
import { normalisePath } from '../outputDirectory.ts';
import type { PackageJson } from '../packageJson.ts';
import { packagePlan } from '../packagePlan.ts';
import { choosePort } from '../port.ts';
import { configFile, fileIn, type Project, projectConfig } from '../project.ts';
import { keptFolders, needsServer, renderingOf } from '../rendering.ts';
import { resolvePath } from '../repoPath.ts';
import { pathScore } from '../score.ts';
import type { Snapshot } from '../snapshot.ts';
import { parseJsonc } from '../sourceText.ts';
import { runBinary } from '../startCommand.ts';

/**
 * Applications of an Nx workspace that have a project.json and no package.json: dependencies and commands are the
 * root's, so the plan is made for the root. Source: https://nx.dev/reference/project-configuration
 */
export const nxProjects: Language = {
  name: 'nx',
  propose(dir, context) {
    const { repo } = context;
    const own = repo.packageJson(dir);
    const inferred = own !== undefined && isInferred(repo, dir, own);
    if (!inferred && (repo.has(join(dir, 'package.json')) || !repo.has(join(dir, 'project.json')))) return [];
    const root = [...upward(dir)].find((at) => repo.has(join(at, 'nx.json')) && repo.has(join(at, 'package.json')));
    const pkg = root === undefined ? undefined : repo.packageJson(root);
    if (root === undefined || !pkg) return [];
    const application = inferred
      ? {
          name: own.name ?? dir.slice(dir.lastIndexOf('/') + 1),
          executor: '',
          outputPath: undefined,
          target: undefined,
        }
      : readApplication(repo.text(join(dir, 'project.json')) ?? '', dir);
    if (!application || !/^[@\w./-]{1,200}$/.test(application.name)) return [];
    return proposalsOf({ repo, dir, pkg }, root, application, context);
  },
};

/**
 * A member of an npm workspace that says nothing but its name: Nx infers its tasks from the configuration of the bundler
 * beside it. Source: https://nx.dev/concepts/inferred-tasks
 */
function isInferred(repo: Snapshot, dir: string, pkg: PackageJson): boolean {
  if (dir === '.' || pkg.scripts.size > 0 || pkg.isLibrary || pkg.main !== undefined) return false;
  const has = (base: string) => configFile({ repo, dir, pkg }, base) !== undefined;
  return (
    repo.has(join(dir, 'index.html')) && has('vite.config') && pkg.dependencies.size + pkg.devDependencies.size === 0
  );
}

/** Whether a folder holds an application of Nx without a package.json of its own. */
export const isNxApplication = (repo: Snapshot, dir: string): boolean =>
  repo.has(join(dir, 'project.json')) &&
  !repo.has(join(dir, 'package.json')) &&
  readApplication(repo.text(join(dir, 'project.json')) ?? '', dir) !== undefined;

interface Application {
  readonly name: string;
  readonly executor: string;
  /** Relative to the workspace root. */
  readonly outputPath: string | undefined;
  readonly target: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;
const objectOf = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** Undefined for a library, for end-to-end tests, and for a file that cannot be read. */
function readApplication(source: string, dir: string): Application | undefined {
  const project = objectOf(parseJsonc(source));
  const name = textOf(project.name) ?? dir.slice(dir.lastIndexOf('/') + 1);
  if (project.projectType !== 'application' || /(?:^|[-_])e2e$/.test(name) || !/^[@\w./-]{1,200}$/.test(name))
    return undefined;
  const build = objectOf(objectOf(project.targets ?? project.architect).build);
  const options = objectOf(build.options);
  return {
    name,
    executor: textOf(build.executor) ?? '',
    outputPath: textOf(options.outputPath) ?? textOf(objectOf(options.outputPath).base),
    target: textOf(options.target) ?? textOf(options.platform),
  };
}

function proposalsOf(project: Project, root: string, application: Application, context: LanguageContext): Proposal[] {
  const slug = siteSlug(project, application);
  const framework = slug === undefined ? undefined : findFrameworkBySlug(slug, `Nx application ${application.name}`);
  if (!framework) return [proposeServer(project, root, application, context)];
  const rendering = renderingOf(project, framework);
  if (rendering.kind === 'server') return [renderedSite(project, root, application, framework, rendering, context)];
  return [
    {
      target: 'frontend',
      path: project.dir,
      framework: framework.slug,
      score: 45 + pathScore('frontend', project.dir),
      reason: framework.match,
      plan(findings, forced) {
        const plan = rootPlan(project, root, application, framework, context, findings, forced);
        const output = outputPath(project, application, rendering.output);
        const outputDirectory = pathBelow(root, output);
        findings.because('outputDirectory', outputDirectory, 'where Nx writes', join(project.dir, 'project.json'));
        return { ...plan, ...keptFolders(framework), outputDirectory };
      },
    },
  ];
}

/** By the executor, or where plugins infer it, by the configuration file. */
function siteSlug(project: Project, { executor, target }: Application): string | undefined {
  const has = (base: string) => configFile(project, base) !== undefined;
  const page = fileIn(project, 'index.html') || fileIn(project, 'src/index.html');
  if (executor.includes('next') || has('next.config')) return 'nextjs';
  if (/angular/.test(executor)) return 'angular';
  if (has('astro.config')) return 'astro';
  if (has('nuxt.config')) return 'nuxtjs';
  if ((executor.includes('vite') || has('vite.config')) && page) return 'vite';
  if (page && target !== 'node') return 'webpack';
  return undefined;
}

type PlanArguments = Parameters<Proposal['plan']>;

function rootPlan(
  project: Project,
  root: string,
  { name }: Application,
  framework: FoundFramework | undefined,
  context: LanguageContext,
  findings: PlanArguments[0],
  forced: PlanArguments[1],
) {
  const plan = packagePlan({ ...project, dir: root }, undefined, context, findings, forced);
  findings.replace('path', root, `dependencies of ${project.dir} are the workspace's`);
  const buildCommand = runBinary(plan.packageManager?.name ?? 'npm', `nx build ${name}`);
  findings.replace('buildCommand', buildCommand, 'Nx application');
  return { ...plan, framework: framework?.slug ?? null, buildCommand };
}

/** Relative to the repository root. */
function outputPath(project: Project, application: Application, rendered: string | undefined): string {
  const outDir = projectConfig(project, 'vite.config')?.path('build', 'outDir');
  if (outDir !== undefined) return resolvePath(project.dir, outDir) ?? 'dist';
  const base = normalisePath(application.outputPath ?? `dist/${project.dir}`);
  if (/:application$/.test(application.executor)) return `${base}/browser`;
  return application.executor.includes('next') ? `${base}/${rendered ?? 'out'}` : base;
}

const pathBelow = (root: string, path: string) =>
  root === '.' ? path : path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;

function proposeServer(project: Project, root: string, application: Application, context: LanguageContext): Proposal {
  return {
    target: 'backend',
    path: project.dir,
    framework: null,
    score: 35 + pathScore('backend', project.dir),
    reason: `Nx application ${application.name} without a page`,
    plan(findings, forced) {
      const plan = rootPlan(project, root, application, undefined, context, findings, forced);
      const start = `node ${pathBelow(root, normalisePath(application.outputPath ?? `dist/${project.dir}`))}/main.js`;
      findings.because('startCommand', start, 'where Nx writes', join(project.dir, 'project.json'));
      return { ...plan, startCommand: start, port: choosePort('', findings) };
    },
  };
}

function renderedSite(
  project: Project,
  root: string,
  application: Application,
  framework: FoundFramework,
  rendering: ServerRendering,
  context: LanguageContext,
): Proposal {
  return {
    target: 'backend',
    path: project.dir,
    framework: framework.slug,
    score: 45 + pathScore('frontend', project.dir),
    reason: `${framework.match}; ${rendering.rule}`,
    needsServer: needsServer(framework.name, project.dir, rendering),
    plan(findings, forced) {
      const plan = rootPlan(project, root, application, framework, context, findings, forced);
      const run = runBinary(plan.packageManager?.name ?? 'npm', `nx start ${application.name}`);
      findings.because('startCommand', run, 'Nx application');
      return { ...plan, startCommand: run, port: choosePort('', findings) };
    },
  };
}

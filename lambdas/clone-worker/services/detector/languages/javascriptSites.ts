import type { TargetPlan } from '../../../../../contract/plan.ts';
import { join, parent } from '../../../../../contract/repo-fs.ts';
import type { Findings } from '../findings.ts';
import type { ServerRendering, StaticRendering } from '../framework.ts';
import { FRAMEWORKS, rulesOf } from '../frameworks/index.ts';
import { type FoundFramework, PAGES, toolOf } from '../frameworkTable.ts';
import { generatorIn, templateText } from '../generators.ts';
import type { LanguageContext, Proposal } from '../language.ts';
import { holdsEntry } from '../listedNames.ts';
import {
  buildScriptOf,
  liftedOutput,
  normalisePath,
  type Output,
  outputOf,
  ownCommands,
  plainOutput,
} from '../outputDirectory.ts';
import { buildsLibrary, workerAssets } from '../outputSettings.ts';
import { packageFile, packagePlan } from '../packagePlan.ts';
import { choosePort } from '../port.ts';
import { dependencyVersion, fileIn, type Project, scriptOf } from '../project.ts';
import { keptFolders, needsServer, renderingOf } from '../rendering.ts';
import { pathScore } from '../score.ts';
import { serverFramework } from '../serverFrameworks.ts';
import { fromProcfile, runBinary, runScript } from '../startCommand.ts';
import { judgeStart } from '../startJudgement.ts';
import { unknownBuild } from './unknownBuild.ts';

const STRENGTH = { framework: 50, bundler: 40, documentation: 30, page: 12, library: -15 };

const LIBRARY_MODE = -30;

/** A package as a site: static, or rendered on a server and then a backend. */
export function proposeSites(
  project: Project,
  framework: FoundFramework | undefined,
  context: LanguageContext,
): Proposal[] {
  const page = PAGES.find((name) => fileIn(project, name));
  const wanted = context.wanted.frontend === project.dir;
  const path = pathScore('frontend', project.dir);
  if (!framework) {
    const plain: StaticRendering = { kind: 'static', rule: 'no framework that renders on a server' };
    if (wanted) return [proposeSite(project, undefined, plain, STRENGTH.page, 'named in the request', context)];
    if (page === undefined) return unsureSites(project, undefined, context);
    if (scriptOf(project, 'build') === '' || serverFramework(project)) return [];
    if (isPartOfGenerator(project, page)) return [];
    return [proposeSite(project, undefined, plain, STRENGTH.page + path, `has a build script and ${page}`, context)];
  }
  const { bundles: bundler, entries, isApi } = rulesOf(framework.slug);
  if (bundler && page === undefined && !wanted) return unsureSites(project, framework, context);
  if (bundler && page !== undefined && !wanted && isPartOfGenerator(project, page)) return [];
  if (entries && page === undefined && !wanted && !entries.some((name) => fileIn(project, name))) return [];
  if (!bundler && !wanted && !isBuiltHere(project, framework)) return [];
  // Library mode makes no page.
  const library = buildsLibrary(project) ? LIBRARY_MODE : 0;
  const score = strengthOf(project, framework) + library + (project.pkg.isLibrary ? STRENGTH.library : 0) + path;
  const rendering = renderingOf(project, framework);
  if (isApi && rendering.kind === 'server') return [proposeApi(project, framework, rendering, context)];
  if (rendering.kind === 'static') return [proposeSite(project, framework, rendering, score, framework.match, context)];
  const asServer = proposeRendered(project, framework, rendering, score, context);
  return wanted ? [asServer, forcedStatic(project, framework, rendering, score, context)] : [asServer];
}

const unsureSites = (...of: Parameters<typeof unknownBuild>): Proposal[] => {
  const found = unknownBuild(...of);
  return found ? [found] : [];
};

/** Whether what is built is only a part of a site of another generator, whose page is a template. */
const isPartOfGenerator = ({ repo, dir }: Project, page: string): boolean =>
  generatorIn(repo, dir) !== undefined && templateText(repo, parent(join(dir, page)) ?? '.') !== undefined;

function strengthOf(project: Project, { slug }: FoundFramework): number {
  const { strength, bundles, documents } = rulesOf(slug);
  if (strength !== undefined) return strength;
  if (bundles) return STRENGTH.bundler;
  return documents ||
    ['@astrojs/starlight', 'nextra', 'fumadocs-ui'].some((name) => dependencyVersion(project, name) !== undefined)
    ? STRENGTH.documentation
    : STRENGTH.framework;
}

/** Folders and files of a site itself, whatever its framework. */
const OWN_FOLDERS = [
  'pages',
  'src/pages',
  'app',
  'src/app',
  'src/routes',
  'routes',
  'content',
  'docs',
  'source',
  'stories',
  'src/stories',
];

/**
 * Whether a package with a framework among its dependencies is a site. The root of a workspace and a published library
 * have frameworks for their types, tests and documentation: there, a second sign is needed.
 */
function isBuiltHere(project: Project, framework: FoundFramework): boolean {
  const { repo, dir, pkg } = project;
  const isRoot =
    pkg.workspaces !== undefined || fileIn(project, 'pnpm-workspace.yaml') || fileIn(project, 'lerna.json');
  const onlyForDeveloping = [...pkg.dependencies.keys()].every((name) => !framework.match.endsWith(` ${name}`));
  if (!isRoot && !(pkg.isLibrary && onlyForDeveloping)) return true;
  const script = buildScriptOf(project, framework);
  if (ownCommands(project, framework, script).length > 0) return true;
  const base = configBase(framework);
  const isConfig = (name: string) => /^[\w.-]+\.config\.[cm]?[jt]s$/.test(name) && name.startsWith(base);
  if (holdsEntry(repo.fs, dir, (name) => isConfig(name) || SIGN_FILES.has(name))) return true;
  return !isRoot && OWN_FOLDERS.some((folder) => repo.isDirectory(join(dir, folder)));
}

const SIGN_FILES: ReadonlySet<string> = new Set(FRAMEWORKS.flatMap(({ signFiles = [] }) => signFiles));

/** What the name of its configuration begins with: `astro` of `astro.config.mjs`. */
function configBase(framework: FoundFramework): string {
  const own = rulesOf(framework.slug).configs?.find((name) => name.endsWith('.config'));
  return own === undefined ? toolOf(framework) || framework.slug : own.replace('config', '');
}

/** With a server it is an API: a backend like any other, and no site. */
function proposeApi(
  project: Project,
  framework: FoundFramework,
  rendering: ServerRendering,
  context: LanguageContext,
): Proposal {
  const score =
    strengthOf(project, framework) + (project.pkg.isLibrary ? STRENGTH.library : 0) + pathScore('backend', project.dir);
  const { needsServer: _, ...proposal } = proposeRendered(project, framework, rendering, score, context);
  return proposal;
}

function proposeSite(
  project: Project,
  framework: FoundFramework | undefined,
  rendering: StaticRendering,
  score: number,
  reason: string,
  context: LanguageContext,
): Proposal {
  return {
    target: 'frontend',
    path: project.dir,
    framework: framework?.slug ?? null,
    score,
    reason,
    plan(findings, forced): TargetPlan {
      if (framework) findings.because('framework', framework.slug, framework.match, packageFile(project));
      const plan = {
        ...packagePlan(project, framework, context, findings, forced),
        ...keptFolders(framework),
      };
      findings.because('rendering', 'static', rendering.rule, rendering.file);
      const output: Output = framework ? outputOf(project, framework, rendering) : plainOutput(project);
      const outputDirectory = findings.because('outputDirectory', normalisePath(output.path), output.rule, output.file);
      if (forced.outputDirectory === undefined) warnAboutOutput(project, output, findings);
      return forced.outputDirectory === undefined ? liftedOutput({ ...plan, outputDirectory }, findings) : plan;
    },
  };
}

function warnAboutOutput(project: Project, output: Output, findings: Findings): void {
  if (output.unclear !== undefined)
    findings.warn(
      `${output.unclear} says where the files are written, but not in a way that can be read without running it; "${normalisePath(output.path)}" is expected. "frontend.outputDirectory" can name it.`,
    );
  if (buildsLibrary(project))
    findings.warn(
      `The Vite configuration of "${project.dir}" builds a library (build.lib), which makes no page. "frontend.path" and "frontend.outputDirectory" can name a site.`,
    );
  const worker = workerAssets(project);
  if (worker)
    findings.warn(
      `${worker.file} configures a Cloudflare Worker. Its static files are published; the Worker's code is not deployed.`,
    );
}

/** Asked for as a static site: only who names the folder of the static files knows that there are any. */
function forcedStatic(
  project: Project,
  framework: FoundFramework,
  rendering: ServerRendering,
  score: number,
  context: LanguageContext,
): Proposal {
  const said: StaticRendering = { kind: 'static', rule: '"outputDirectory" in the request' };
  const proposal = proposeSite(project, framework, said, score, 'named in the request', context);
  return {
    ...proposal,
    plan(findings, forced) {
      if (forced.outputDirectory === undefined) throw needsServer(framework.name, project.dir, rendering);
      return proposal.plan(findings, forced);
    },
  };
}

/** A framework that renders on a server: built as a backend, by its own start script or its documented command. */
function proposeRendered(
  project: Project,
  framework: FoundFramework,
  rendering: ServerRendering,
  score: number,
  context: LanguageContext,
): Proposal {
  const own = scriptOf(project, 'start');
  const developing =
    FOR_DEVELOPING.test(own) || judgeStart(project, own) === 'developer' || judgeStart(project, own) === 'foreign';
  const ownStart = own !== '' && !developing ? own : undefined;
  const process = fromProcfile(project);
  return {
    target: 'backend',
    path: project.dir,
    framework: framework.slug,
    score,
    reason: `${framework.match}; ${rendering.rule}`,
    needsServer: needsServer(
      framework.name,
      project.dir,
      ownStart || process ? { ...rendering, start: own } : rendering,
    ),
    plan(findings, forced) {
      findings.because('framework', framework.slug, framework.match, packageFile(project));
      const plan = packagePlan(project, framework, context, findings, forced);
      const manager = plan.packageManager?.name ?? 'npm';
      findings.because('rendering', 'server', rendering.rule, rendering.file);
      findings.warn(
        `${framework.name} in "${project.dir}" renders on a server, so it is built as a backend. To publish it as a static site: ${rendering.remedy}.`,
      );
      let startCommand = forced.startCommand;
      if (process !== undefined)
        startCommand = findings.because('startCommand', process.command, process.rule, process.file);
      else if (ownStart !== undefined)
        startCommand = findings.because(
          'startCommand',
          runScript(manager, 'start'),
          'scripts.start',
          packageFile(project),
        );
      else if (rendering.start !== undefined) {
        const line = rendering.start.startsWith('npx ') ? runBinary(manager, rendering.start) : rendering.start;
        startCommand = findings.because('startCommand', line, `default of ${framework.name}`);
      }
      if (startCommand === undefined) throw needsServer(framework.name, project.dir, rendering);
      return {
        ...plan,
        startCommand,
        port: choosePort(forced.startCommand ?? process?.line ?? ownStart ?? '', findings),
      };
    },
  };
}

const FOR_DEVELOPING = /\b(?:dev|develop|preview)\b|\bng serve\b|(?:^|\s)vite(?:$|\s)/;

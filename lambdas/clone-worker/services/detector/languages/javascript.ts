import { VerenError } from '../../../../../contract/errors.ts';
import type { TargetPlan } from '../../../../../contract/plan.ts';
import { join } from '../../../../shared/repo/repoFs.ts';
import { buildOf } from '../buildCommand.ts';
import type { Findings } from '../findings.ts';
import { type FoundFramework, findFramework } from '../frameworkTable.ts';
import type { Forced, Language, LanguageContext, Proposal } from '../language.ts';
import { resolvePath } from '../nodeSources.ts';
import { chooseNodeVersion } from '../nodeVersion.ts';
import { outputOf } from '../outputDirectory.ts';
import { choosePackageManager, installCommand } from '../packageManager.ts';
import { dependency, fileIn, type Project, script } from '../project.ts';
import { type Rendering, renderingOf } from '../rendering.ts';
import { pathScore } from '../score.ts';
import { serverFramework } from '../serverFrameworks.ts';
import { DEFAULT_PORT, portOf, runScript, startOf } from '../startCommand.ts';
import { type Workspace, workspaceOf, workspacePackages } from '../workspaces.ts';

/** Everything with a package.json. */
export const javascript: Language = {
  name: 'javascript',
  propose(dir, context) {
    const pkg = context.repo.packageJson(dir);
    if (!pkg) return [];
    const project: Project = { repo: context.repo, dir, pkg };
    const framework = findFramework(context.repo, dir, pkg);
    return [...sites(project, framework, context), ...servers(project, framework, context)];
  },
};

/** Bundlers by themselves: also libraries are built with them, so a page has to be there. */
const BUNDLERS: ReadonlySet<string> = new Set([
  'vite',
  'parcel',
  'webpack',
  'rspack',
  'rsbuild',
  'svelte',
  'stencil',
  'brunch',
]);
const PAGES = [
  'index.html',
  'src/index.html',
  'public/index.html',
  'client/index.html',
  'app/index.html',
  'src/index.pug',
  'index.pug',
  'src/index.ejs',
  'public/index.ejs',
];

function sites(project: Project, framework: FoundFramework | undefined, context: LanguageContext): Proposal[] {
  const page = PAGES.find((name) => fileIn(project, name));
  const { dir } = project;
  const wanted = context.wanted.frontend === dir;
  if (!framework) {
    const plain = { kind: 'static', rule: 'a build script and no framework that renders on a server' } as const;
    if (wanted) return [site(project, undefined, plain, 12, 'named in the request', context)];
    if (script(project, 'build') === '' || page === undefined || serverFramework(project)) return [];
    const score = 12 + pathScore('frontend', dir);
    return [site(project, undefined, plain, score, `has a build script and ${page}`, context)];
  }
  const rendering = renderingOf(project, framework);
  const strength = framework.slug === 'storybook' ? -20 : BUNDLERS.has(framework.slug) ? 40 : 50;
  if (BUNDLERS.has(framework.slug) && page === undefined && framework.slug !== 'rsbuild' && !wanted) return [];
  const library = project.pkg.isLibrary ? -15 : 0;
  const score = strength + library + pathScore('frontend', dir);
  if (rendering.kind === 'static') return [site(project, framework, rendering, score, framework.match, context)];
  const asServer = rendered(project, framework, rendering, score, context);
  return wanted ? [asServer, forcedStatic(project, framework, rendering, score, context)] : [asServer];
}

function site(
  project: Project,
  framework: FoundFramework | undefined,
  rendering: Extract<Rendering, { kind: 'static' }>,
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
    plan(findings, forced) {
      const common = commonPlan(project, framework, context, findings, forced);
      findings.because('rendering', 'static', rendering.rule, rendering.file);
      const output = framework ? outputOf(project, framework, rendering.output) : plainOutput(project);
      const outputDirectory = findings.because('outputDirectory', tidy(output.path), output.rule, output.file);
      return liftedOutput({ ...common, outputDirectory }, findings);
    },
  };
}

/** No framework is known: `dist` or `build` where the script names it, else the folder that holds the page. */
function plainOutput(project: Project): { path: string; rule: string; file?: string | undefined } {
  const named = /(?:^|[\s=:./"'])(dist|build|out|_site|public|www)(?=$|[\s/"'])/.exec(
    script(project, 'build').replace(/^.*?\bbuild\b(?!\/)/, ''),
  )?.[1];
  if (named !== undefined)
    return { path: named, rule: 'named in the build script', file: join(project.dir, 'package.json') };
  if (fileIn(project, 'public/index.html'))
    return { path: 'public', rule: 'holds index.html', file: join(project.dir, 'public/index.html') };
  if (fileIn(project, 'index.html'))
    return { path: '.', rule: 'holds index.html', file: join(project.dir, 'index.html') };
  return { path: 'dist', rule: 'default' };
}

const tidy = (path: string) => {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/') || '.';
};

/** Output outside of the package (`../../dist/apps/web`): the plan moves up to the folder that holds both. */
function liftedOutput(plan: TargetPlan, findings: Findings): TargetPlan {
  const output = plan.outputDirectory ?? '.';
  if (!output.startsWith('..')) return plan;
  const target = resolvePath(plan.path, output);
  if (target === undefined)
    throw new VerenError('NOTHING_TO_DEPLOY', {
      reason: `the build of "${plan.path}" writes outside of the repository (${output})`,
    });
  findings.because('path', plan.installPath, `the output ${target} lies outside of ${plan.path}`);
  const inside = plan.installPath === '.' || target.startsWith(`${plan.installPath}/`);
  const root = inside ? plan.installPath : '.';
  const from = root === '.' ? plan.path : plan.path.slice(root.length + 1);
  return {
    ...plan,
    path: root,
    outputDirectory: root === '.' ? target : target.slice(root.length + 1),
    buildCommand:
      plan.buildCommand && /^[\w@./-]+$/.test(from) ? `cd ${from} && ${plan.buildCommand}` : plan.buildCommand,
  };
}

/** Asked for as a static site: only who names the folder of the static files knows that there are any. */
function forcedStatic(
  project: Project,
  framework: FoundFramework,
  rendering: Extract<Rendering, { kind: 'server' }>,
  score: number,
  context: LanguageContext,
): Proposal {
  const static_ = { kind: 'static', rule: '"outputDirectory" in the request' } as const;
  const proposal = site(project, framework, static_, score, 'named in the request', context);
  return {
    ...proposal,
    plan(findings, forced) {
      if (forced.outputDirectory === undefined)
        throw new VerenError('NEEDS_SERVER', {
          framework: framework.name,
          path: project.dir,
          remedy: rendering.remedy,
        });
      return proposal.plan(findings, forced);
    },
  };
}

/** A framework that renders on a server: a backend. */
function rendered(
  project: Project,
  framework: FoundFramework,
  rendering: Extract<Rendering, { kind: 'server' }>,
  score: number,
  context: LanguageContext,
): Proposal {
  const own = script(project, 'start');
  const ownStart = own !== '' && !/\b(?:dev|preview|ng serve|vite)\b/.test(own) ? own : undefined;
  return {
    target: 'backend',
    path: project.dir,
    framework: framework.slug,
    score,
    reason: `${framework.match}; ${rendering.rule}`,
    needsServer: { framework: framework.name, remedy: rendering.remedy },
    plan(findings, forced) {
      const common = commonPlan(project, framework, context, findings, forced);
      findings.because('rendering', 'server', rendering.rule, rendering.file);
      findings.warn(
        `${framework.name} in "${project.dir}" renders on a server, so it is built as a backend. For a static site: ${rendering.remedy}`,
      );
      const manager = common.packageManager!.name;
      const startCommand =
        ownStart !== undefined
          ? findings.because(
              'startCommand',
              runScript(manager, 'start'),
              'scripts.start',
              join(project.dir, 'package.json'),
            )
          : rendering.start !== undefined
            ? findings.because('startCommand', rendering.start, `default of ${framework.name}`)
            : forced.startCommand;
      if (startCommand === undefined)
        throw new VerenError('NEEDS_SERVER', {
          framework: framework.name,
          path: project.dir,
          remedy: rendering.remedy,
        });
      return { ...common, startCommand, port: choosePort(ownStart ?? '', findings) };
    },
  };
}

/** Everything that listens: known by its framework, or by a start script that runs a program. */
function servers(project: Project, framework: FoundFramework | undefined, context: LanguageContext): Proposal[] {
  if (framework && renderingOf(project, framework).kind === 'server') return [];
  const known = serverFramework(project);
  const start = startOf(project, 'npm');
  const wanted = context.wanted.backend === project.dir;
  if (!wanted) {
    if (!start) return [];
    // A program started by script is a server where nothing else is known of it; beside a page it serves the built files.
    if (!known && (!start.certain || framework !== undefined)) return [];
    if (known && !start.certain && project.pkg.isLibrary) return [];
  }
  const score =
    (known ? 45 : 15) +
    (start?.certain ? 5 : 0) +
    (project.pkg.isLibrary ? -15 : 0) +
    pathScore('backend', project.dir);
  return [
    {
      target: 'backend',
      path: project.dir,
      framework: known?.slug ?? null,
      score,
      reason: known
        ? `depends on ${known.dependency}`
        : start
          ? `${start.rule} runs a program`
          : 'named in the request',
      plan: (findings, forced) => backendPlan(project, known?.slug ?? null, context, findings, forced),
    },
  ];
}

function backendPlan(
  project: Project,
  slug: string | null,
  context: LanguageContext,
  findings: Findings,
  forced: Forced,
): TargetPlan {
  const common = commonPlan(project, undefined, context, findings, forced, slug);
  const found = startOf(project, common.packageManager!.name);
  if (found) findings.because('startCommand', found.command, found.rule, found.file);
  const startCommand = found?.command ?? forced.startCommand;
  if (startCommand === undefined)
    throw new VerenError('NOTHING_TO_DEPLOY', {
      reason: `nothing in "${project.dir}" says how the server is started (a "start" script, a Procfile, "main"); "backend.startCommand" can`,
    });
  const line = forced.startCommand ?? found?.line ?? '';
  const buildCommand = common.buildCommand ?? compileStep(project, line, findings);
  return { ...common, buildCommand, startCommand, port: choosePort(line, findings) };
}

/** The start line runs what is not in the repository, and there is a TypeScript project but no build script. */
function compileStep(project: Project, line: string, findings: Findings): string | null {
  const built = /(?:^|\s)(?:\.\/)?((?:dist|build|lib|out)\/[\w./-]+)/.exec(line)?.[1];
  if (built === undefined || fileIn(project, built)) return null;
  if (!fileIn(project, 'tsconfig.json') || dependency(project, 'typescript') === undefined) return null;
  return findings.because(
    'buildCommand',
    'npx tsc',
    `the start command runs ${built}, and there is no build script`,
    join(project.dir, 'tsconfig.json'),
  );
}

function choosePort(line: string, findings: Findings): number {
  const fixed = portOf(line);
  if (fixed !== undefined) return findings.because('port', fixed, 'start command');
  return findings.because('port', DEFAULT_PORT, 'default; the server is told by the variable PORT');
}

function commonPlan(
  project: Project,
  framework: FoundFramework | undefined,
  context: LanguageContext,
  findings: Findings,
  forced: Forced,
  slug: string | null = framework?.slug ?? null,
): TargetPlan {
  const { repo, dir } = project;
  const workspace = usableWorkspace(project);
  const installPath = workspace?.root ?? dir;
  if (framework) findings.because('framework', framework.slug, framework.match, join(dir, 'package.json'));
  else if (slug !== null) findings.because('framework', slug, `depends on it`, join(dir, 'package.json'));
  const choice = choosePackageManager(repo, dir, installPath, workspace, findings);
  const nodeVersion = forced.nodeVersion ?? chooseNodeVersion(repo, dir, context.today, findings);
  findings.because('installPath', installPath, workspace ? 'workspace root' : 'the package itself', workspace?.file);
  const install = findings.because(
    'installCommand',
    installCommand(choice),
    choice.lockfile ? 'lockfile' : 'no lockfile',
    choice.lockfile,
  );
  const packages = workspace ? workspacePackages(repo, workspace, context.folders) : new Map<string, string>();
  const build = buildOf(project, framework, { manager: choice.manager.name, workspace, packages });
  if (build) findings.because('buildCommand', build.command, build.rule, build.file);
  return {
    path: dir,
    framework: slug,
    language: 'javascript',
    packageManager: choice.manager,
    nodeVersion,
    installPath,
    installCommand: install,
    buildCommand: build?.command ?? null,
    evidence: findings.evidence,
  };
}

/** The workspace that installs this package; a member with a lockfile of its own under a root without one stands alone. */
function usableWorkspace(project: Project): Workspace | undefined {
  const { repo, dir } = project;
  const workspace = workspaceOf(repo, dir);
  if (!workspace || workspace.root === dir) return workspace;
  const locked = (at: string) =>
    ['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb'].some((f) =>
      repo.has(join(at, f)),
    );
  return !locked(workspace.root) && locked(dir) ? undefined : workspace;
}

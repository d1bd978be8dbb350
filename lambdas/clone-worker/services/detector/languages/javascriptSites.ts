import type { TargetPlan } from '../../../../../contract/plan.ts';
import type { FoundFramework } from '../frameworkTable.ts';
import type { LanguageContext, Proposal } from '../language.ts';
import { liftedOutput, type Output, outputOf, plainOutput, tidy } from '../outputDirectory.ts';
import { packageFile, packagePlan } from '../packagePlan.ts';
import { fileIn, type Project, script } from '../project.ts';
import { needsServer, renderingOf, type ServerRendering, type StaticRendering } from '../rendering.ts';
import { pathScore } from '../score.ts';
import { serverFramework } from '../serverFrameworks.ts';
import { choosePort, runBinary, runScript } from '../startCommand.ts';

/** Bundlers by themselves: libraries are built with them too, so a page has to be there. */
const BUNDLERS: ReadonlySet<string> = new Set(['vite', 'parcel', 'webpack', 'rspack', 'svelte', 'stencil', 'brunch']);
const PAGES = [
  'index.html',
  'src/index.html',
  'public/index.html',
  'client/index.html',
  'app/index.html',
  'app/assets/index.html',
  'src/index.ejs',
  'public/index.ejs',
  'index.pug',
  'src/index.pug',
];

const STRENGTH = { framework: 50, bundler: 40, page: 12, storybook: -20, library: -15 };

/** A package as a site: static, or rendered on a server and then a backend. */
export function sites(project: Project, framework: FoundFramework | undefined, context: LanguageContext): Proposal[] {
  const page = PAGES.find((name) => fileIn(project, name));
  const wanted = context.wanted.frontend === project.dir;
  const path = pathScore('frontend', project.dir);
  if (!framework) {
    const plain: StaticRendering = { kind: 'static', rule: 'no framework that renders on a server' };
    if (wanted) return [site(project, undefined, plain, STRENGTH.page, 'named in the request', context)];
    if (script(project, 'build') === '' || page === undefined || serverFramework(project)) return [];
    return [site(project, undefined, plain, STRENGTH.page + path, `has a build script and ${page}`, context)];
  }
  const bundler = BUNDLERS.has(framework.slug);
  if (bundler && page === undefined && !wanted) return [];
  const own = framework.slug === 'storybook' ? STRENGTH.storybook : bundler ? STRENGTH.bundler : STRENGTH.framework;
  const score = own + (project.pkg.isLibrary ? STRENGTH.library : 0) + path;
  const rendering = renderingOf(project, framework);
  if (rendering.kind === 'static') return [site(project, framework, rendering, score, framework.match, context)];
  const asServer = rendered(project, framework, rendering, score, context);
  return wanted ? [asServer, forcedStatic(project, framework, rendering, score, context)] : [asServer];
}

function site(
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
      const plan = packagePlan(project, framework, context, findings, forced);
      findings.because('rendering', 'static', rendering.rule, rendering.file);
      const output: Output = framework ? outputOf(project, framework, rendering) : plainOutput(project);
      const outputDirectory = findings.because('outputDirectory', tidy(output.path), output.rule, output.file);
      return forced.outputDirectory === undefined ? liftedOutput({ ...plan, outputDirectory }, findings) : plan;
    },
  };
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
  const proposal = site(project, framework, said, score, 'named in the request', context);
  return {
    ...proposal,
    plan(findings, forced) {
      if (forced.outputDirectory === undefined) throw needsServer(framework.name, project.dir, rendering);
      return proposal.plan(findings, forced);
    },
  };
}

/** A framework that renders on a server: built as a backend, by its own start script or its documented command. */
function rendered(
  project: Project,
  framework: FoundFramework,
  rendering: ServerRendering,
  score: number,
  context: LanguageContext,
): Proposal {
  const own = script(project, 'start');
  const ownStart = own !== '' && !FOR_DEVELOPING.test(own) ? own : undefined;
  return {
    target: 'backend',
    path: project.dir,
    framework: framework.slug,
    score,
    reason: `${framework.match}; ${rendering.rule}`,
    needsServer: needsServer(framework.name, project.dir, ownStart ? { ...rendering, start: own } : rendering),
    plan(findings, forced) {
      findings.because('framework', framework.slug, framework.match, packageFile(project));
      const plan = packagePlan(project, framework, context, findings, forced);
      const manager = plan.packageManager?.name ?? 'npm';
      findings.because('rendering', 'server', rendering.rule, rendering.file);
      findings.warn(
        `${framework.name} in "${project.dir}" renders on a server, so it is built as a backend. To publish it as a static site: ${rendering.remedy}.`,
      );
      let startCommand = forced.startCommand;
      if (ownStart !== undefined)
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
      return { ...plan, startCommand, port: choosePort(forced.startCommand ?? ownStart ?? '', findings) };
    },
  };
}

const FOR_DEVELOPING = /\b(?:dev|develop|preview)\b|\bng serve\b|(?:^|\s)vite(?:$|\s)/;

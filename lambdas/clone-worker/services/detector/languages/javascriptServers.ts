import { VerenError } from '../../../../../contract/errors.ts';
import type { TargetPlan } from '../../../../../contract/plan.ts';
import { join, parent } from '../../../../../contract/repo-fs.ts';
import type { Findings } from '../findings.ts';
import { rulesOf } from '../frameworks/index.ts';
import type { FoundFramework } from '../frameworkTable.ts';
import { generatorAt } from '../generators.ts';
import type { Forced, LanguageContext, Proposal } from '../language.ts';
import { workerAssets } from '../outputSettings.ts';
import { packageFile, packagePlan } from '../packagePlan.ts';
import { choosePort } from '../port.ts';
import { dependencyVersion, fileIn, type Project, scriptOf } from '../project.ts';
import { renderingOf } from '../rendering.ts';
import { pathScore } from '../score.ts';
import { serverFramework } from '../serverFrameworks.ts';
import { type StartCommand, startOf, usesBun } from '../startCommand.ts';
import { judgeStart } from '../startJudgement.ts';

const STRENGTH = { framework: 45, program: 15, script: 5, library: -15 };

/** A package as a server: known by its framework, or by a start script that runs a program. */
export function proposeServers(
  project: Project,
  framework: FoundFramework | undefined,
  context: LanguageContext,
  isSite: boolean,
): Proposal[] {
  if (framework && renderingOf(project, framework).kind === 'server') return [];
  const known = serverFramework(project);
  const start = startOf(project, 'npm');
  if (
    context.wanted.backend !== project.dir &&
    !(start && isService(project, framework, known !== undefined, start, isSite))
  )
    return [];
  const score =
    (known ? STRENGTH.framework : STRENGTH.program) +
    (start?.certain ? STRENGTH.script : 0) +
    (project.pkg.isLibrary ? STRENGTH.library : 0) +
    pathScore('backend', project.dir);
  const reason = known
    ? `depends on ${known.dependency}`
    : start
      ? `${start.rule} runs a program`
      : 'named in the request';
  return [
    {
      target: 'backend',
      path: project.dir,
      framework: known?.slug ?? null,
      score,
      reason,
      guess: !known,
      weak: !known || !start?.certain,
      plan(findings, forced) {
        if (known) findings.because('framework', known.slug, reason, packageFile(project));
        return { ...backendPlan(project, context, findings, forced), framework: known?.slug ?? null };
      },
    },
  ];
}

/** Whether what a package starts is a service: not a tool, a program for another place, or a part of the site beside it. */
function isService(
  project: Project,
  framework: FoundFramework | undefined,
  known: boolean,
  start: StartCommand,
  isSite: boolean,
): boolean {
  const { pkg } = project;
  if (dependsOnOtherPlace(project) && !(start.certain && runsServerFile(start))) return false;
  if (isDesktopOrCommand(project, known)) return false;
  if (!start.certain && (isCloudFunction(project) || judgeStart(project, scriptOf(project, 'start')) === 'developer'))
    return false;
  // Code for Workers exports a handler and listens to nothing.
  if (!start.certain && (workerAssets(project) !== undefined || dependencyVersion(project, 'wrangler') !== undefined))
    return false;
  // They export a handler for other hosts, which Node loads and leaves; Bun and these adapters listen.
  if (!start.certain && !listensByItself(project)) return false;
  if (isSite && serverFramework(project)?.slug === 'json-server') return false;
  if (known) {
    if (!start.certain && pkg.isLibrary) return false;
    // The server of a framework's own rendering, or a client library of it.
    return (
      !isSite || framework === undefined || rulesOf(framework.slug).bundles || (start.certain && runsServerFile(start))
    );
  }
  // Nothing else is known of a program that a script starts; beside a page it serves the built files.
  if (!start.certain || isSite || start.watches) return false;
  // What only developers' packages start beside a site of another generator is one of its tools.
  if (pkg.dependencies.size === 0 && generatorAt(project.repo, project.dir)) return false;
  return !(
    pkg.dependencies.size === 0 && /(?:^|[\s/])(?:scripts?|tools?|build|bin|tasks?)\/[\w./-]+$/.test(start.line.trim())
  );
}

/** Functions of clouds: started by the cloud, and by an imitation of it for developing. */
const OTHER_PLACES = [
  'firebase-functions',
  '@azure/functions',
  '@google-cloud/functions-framework',
  '@vercel/functions',
  'serverless-http',
  'aws-serverless-express',
  '@vendia/serverless-express',
  '@codegenie/serverless-express',
  '@middy/core',
  'aws-lambda',
  '@types/aws-lambda',
  'serverless',
  '@fastly/js-compute',
  '@netlify/functions',
  '@netlify/edge-functions',
];

const dependsOnOtherPlace = (project: Project): boolean =>
  OTHER_PLACES.some((name) => dependencyVersion(project, name) !== undefined);

/** Written for a cloud that starts it itself. */
export const isForOtherPlace = (project: Project): boolean => dependsOnOtherPlace(project) || isCloudFunction(project);

/** A configuration that deploys a folder, or those below it, as functions. */
function isCloudFunction({ repo, dir }: Project): boolean {
  if (/(?:^|\/)supabase\/functions(?:\/|$)/.test(dir)) return true;
  if (
    [
      'serverless.yml',
      'serverless.yaml',
      'serverless.ts',
      'fastly.toml',
      'host.json',
      'sst.config.ts',
      'partykit.json',
    ].some((name) => repo.has(join(dir, name)))
  )
    return true;
  return [dir, parent(dir) ?? dir].some((at) =>
    ['template.yaml', 'template.yml'].some((name) => /AWS::Serverless/.test(repo.text(join(at, name)) ?? '')),
  );
}

function listensByItself(project: Project): boolean {
  const slug = serverFramework(project)?.slug;
  if ((slug !== 'hono' && slug !== 'elysia') || usesBun(project)) return true;
  return ['@hono/node-server', '@elysiajs/node', 'bun'].some((name) => dependencyVersion(project, name) !== undefined);
}

const runsServerFile = ({ line }: StartCommand): boolean =>
  /(?:^|\s)(?:node|bun|tsx|ts-node|pm2-runtime|pm2)\s(?!.*\.output\/)/.test(line);

/** A program with a window, an extension of an editor, or one that is installed to be called by its name. */
export function isDesktopOrCommand(project: Project, known: boolean): boolean {
  if (
    ['electron', '@tauri-apps/cli', 'nw', '@neutralinojs/neu', 'electron-nightly'].some(
      (name) => dependencyVersion(project, name) !== undefined,
    )
  )
    return true;
  if (project.pkg.engines.has('vscode')) return true;
  return Object.hasOwn(project.pkg.raw, 'bin') && (!known || Object.hasOwn(project.pkg.raw, 'files'));
}

function backendPlan(project: Project, context: LanguageContext, findings: Findings, forced: Forced): TargetPlan {
  const plan = packagePlan(project, undefined, context, findings, forced);
  const found = startOf(project, plan.packageManager?.name ?? 'npm');
  if (found) findings.because('startCommand', found.command, found.rule, found.file);
  const startCommand = found?.command ?? forced.startCommand;
  if (startCommand === undefined)
    throw new VerenError('NOTHING_TO_DEPLOY', {
      reason: `nothing in "${project.dir}" says how the server is started (a "start" script, a Procfile, "main"); "backend.startCommand" can.`,
    });
  const line = forced.startCommand ?? found?.line ?? '';
  const buildCommand = plan.buildCommand ?? compileStep(project, line, findings);
  return { ...plan, buildCommand, startCommand, port: choosePort(line, findings) };
}

/** The start line runs what is not in the repository, and there is a TypeScript project but no build script. */
function compileStep(project: Project, line: string, findings: Findings): string | null {
  const built = /(?:^|\s)(?:\.\/)?((?:dist|build|lib|out)\/[\w./-]+)/.exec(line)?.[1];
  if (built === undefined || fileIn(project, built)) return null;
  if (!fileIn(project, 'tsconfig.json') || dependencyVersion(project, 'typescript') === undefined) return null;
  const rule = `the start command runs ${built}, and there is no build script`;
  return findings.because('buildCommand', 'npx tsc', rule, join(project.dir, 'tsconfig.json'));
}

import { VerenError } from '../../../../../contract/errors.ts';
import type { TargetPlan } from '../../../../../contract/plan.ts';
import { join } from '../../../../shared/repo/repoFs.ts';
import type { Findings } from '../findings.ts';
import type { FoundFramework } from '../frameworkTable.ts';
import type { Forced, LanguageContext, Proposal } from '../language.ts';
import { packageFile, packagePlan } from '../packagePlan.ts';
import { dependency, fileIn, type Project } from '../project.ts';
import { renderingOf } from '../rendering.ts';
import { pathScore } from '../score.ts';
import { serverFramework } from '../serverFrameworks.ts';
import { choosePort, startOf } from '../startCommand.ts';

const STRENGTH = { framework: 45, program: 15, script: 5, library: -15 };

/** A package as a server: known by its framework, or by a start script that runs a program. */
export function servers(project: Project, framework: FoundFramework | undefined, context: LanguageContext): Proposal[] {
  if (framework && renderingOf(project, framework).kind === 'server') return [];
  const known = serverFramework(project);
  const start = startOf(project, 'npm');
  if (context.wanted.backend !== project.dir) {
    if (!start) return [];
    // Nothing else is known of a program that a script starts; beside a page it serves the built files.
    if (!known && (!start.certain || framework !== undefined)) return [];
    if (known && !start.certain && project.pkg.isLibrary) return [];
  }
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
      plan(findings, forced) {
        if (known) findings.because('framework', known.slug, reason, packageFile(project));
        return { ...backendPlan(project, context, findings, forced), framework: known?.slug ?? null };
      },
    },
  ];
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
  if (!fileIn(project, 'tsconfig.json') || dependency(project, 'typescript') === undefined) return null;
  const rule = `the start command runs ${built}, and there is no build script`;
  return findings.because('buildCommand', 'npx tsc', rule, join(project.dir, 'tsconfig.json'));
}

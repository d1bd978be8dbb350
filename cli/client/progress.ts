import { TARGETS, type Target } from '../../contract/builders.ts';
import type { LogLine } from '../../contract/events.ts';
import { runtimeOf, type TargetPlan } from '../../contract/plan.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import { formatDuration, listSteps, totalTime } from './durations.ts';
import type { Rank } from './orderedLines.ts';
import type { Style } from './summary.ts';
import { terminalText } from './terminalText.ts';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** A start that nobody notices needs no row. */
const SHORT_START_MS = 1_000;
/** One picture of the spinner, in milliseconds. */
export const FRAME_MS = 100;

/** The live block: one row for the deployment, one for each phase that began. No row is wider than `columns`. */
export function progressRows(record: DeploymentRecord, style: Style, now: number, columns: number): string[] {
  const { colors } = style;
  const spin = SPINNER[Math.floor(now / FRAME_MS) % SPINNER.length] ?? '';
  // Cut while the text is plain, so that its length is its width.
  const paintRow = (text: string, paint: (s: string) => string) => paint(text.slice(0, Math.max(0, columns - 1)));
  const running = !isTerminal(record.status);
  const rows = [
    paintRow(
      `${running ? spin : '•'} ${terminalText(record.projectId, false)}  ${record.status}  ${formatDuration(totalTime(record, now))}`,
      colors.bold,
    ),
  ];
  for (const target of TARGETS) {
    const build = record.builds[target];
    if (!build) continue;
    for (const { name, took, ok } of listSteps(record, build, now)) {
      if (name === 'wait' || took === null || (name === 'start' && took < SHORT_START_MS)) continue;
      const label = `${targetLabel(record, target)}${name.padEnd(9)} ${formatDuration(took).padStart(10)}`;
      if (ok === true) rows.push(paintRow(`  ✓ ${label}`, colors.green));
      else if (ok === false) rows.push(paintRow(`  ✗ ${label}`, colors.red));
      else rows.push(paintRow(`  ${running ? spin : '-'} ${label}`, colors.cyan));
    }
    if (build.stored)
      rows.push(paintRow(`  ${spin} ${targetLabel(record, target)}built, waits until all of it is ready`, colors.cyan));
  }
  return rows;
}

/** `frontend ` where a deployment has both targets, nothing where the name would say nothing. */
export function targetLabel(record: DeploymentRecord, target: Target): string {
  return record.plan?.frontend && record.plan.backend ? `${target.padEnd(8)} ` : '';
}

/** A sentence about what has changed, and when it did. */
export interface ToldChange {
  readonly at: string;
  readonly rank: Rank;
  readonly text: string;
}

/** What has changed between two states of a record: phases that began or ended, retries, the status. */
export function describeChanges(before: DeploymentRecord | null, after: DeploymentRecord): ToldChange[] {
  const changes: ToldChange[] = [];
  const tell = (text: string, at = after.updatedAt, rank: Rank = 'begin') => changes.push({ at, rank, text });
  for (const target of TARGETS) {
    const build = after.builds[target];
    if (!build) continue;
    const old = before?.builds[target];
    const retried = old !== undefined && build.attempt > old.attempt;
    if (build.startedAt !== undefined && build.startedAt !== old?.startedAt && build.phases.length === 0)
      tell(`${target}: the builder starts`, build.startedAt);
    if (build.toolchain && !old?.toolchain)
      tell(`${target}: its toolchain is downloaded (once for each version)`, build.toolchain.startedAt);
    if (build.toolchain?.finishedAt && !old?.toolchain?.finishedAt) {
      const took = Date.parse(build.toolchain.finishedAt) - Date.parse(build.toolchain.startedAt);
      tell(`${target}: toolchain downloaded in ${formatDuration(took)}`, build.toolchain.finishedAt, 'end');
    }
    if (retried) tell(`${target}: tried again (attempt ${build.attempt})`);
    for (const phase of build.phases) {
      const known = retried ? undefined : old?.phases.find((p) => p.name === phase.name);
      if (!known) tell(`${target}: ${phase.name} begins`, phase.startedAt);
      if (phase.finishedAt && !known?.finishedAt) {
        const took = formatDuration(Date.parse(phase.finishedAt) - Date.parse(phase.startedAt));
        const how = phase.ok === false ? 'failed after' : 'done in';
        tell(`${target}: ${phase.name} ${how} ${took}`, phase.finishedAt, 'end');
      }
    }
    if (build.stored && !old?.stored)
      tell(`${target}: built, waits until all of the deployment is ready to be published`);
  }
  if (before?.status !== after.status) tell(`deployment: ${after.status}`, undefined, 'end');
  return changes;
}

/** A sentence about the plan: what was detected and what will run. */
export function planLines({ plan }: Pick<DeploymentRecord, 'plan'>, { safe }: Style): string[] {
  if (!plan) return [];
  const lines = TARGETS.flatMap((target) => {
    const found = plan[target];
    if (!found) return [];
    const { packageManager: manager } = found;
    const parts = [
      found.path === '.' ? undefined : `folder ${found.path}`,
      found.framework ?? found.language,
      describeRuntime(found),
      manager ? `${manager.name}${manager.version ? ` ${manager.version}` : ''}` : undefined,
      ...[found.installCommand, found.buildCommand, found.startCommand].filter(Boolean).map((c) => `"${c}"`),
    ];
    return [`${target}: ${parts.filter((part) => part !== undefined).join(', ')}`];
  });
  return [...lines, ...plan.warnings.map((warning) => `warning: ${warning}`)].map(safe);
}

/** A log line as it is shown; the platform's own lines are dimmed. */
export function logLine({ target, stream, line }: LogLine, record: DeploymentRecord | null, style: Style): string {
  const shown = `${record ? targetLabel(record, target) : ''}${style.safe(line)}`;
  return stream === 'system' ? style.colors.dim(shown) : shown;
}
/** `Python 3.12`, `Node 24`. */
function describeRuntime(plan: TargetPlan): string {
  const { name, version } = runtimeOf(plan);
  return `${name[0]!.toUpperCase()}${name.slice(1)}${version === null ? '' : ` ${version}`}`;
}

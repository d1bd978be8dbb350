import type { BuildRecord, DeploymentRecord } from '../../../contract/record.ts';
import { isTerminal, PHASES, type Phase } from '../../../contract/statuses.ts';

export type StepState = 'waiting' | 'running' | 'done' | 'failed' | 'stopped' | 'skipped';

export interface Step {
  readonly name: 'wait' | 'start' | Phase;
  readonly state: StepState;
  /** Milliseconds; undefined where it has not begun. */
  readonly took?: number;
  /** Of `start`: how much of it a laptop's download of the toolchain took (ms); `running` while it goes on. */
  readonly toolchain?: number | 'running';
}

/**
 * What a build went through, in order. `wait` is queue and analysis, `start` the time from the task's start to its first
 * phase: the container's image, or on a laptop the download of a toolchain. Running steps end at `now`.
 */
export function listSteps(record: DeploymentRecord, build: BuildRecord, now: number): Step[] {
  const time = Date.parse;
  const ended = isTerminal(build.status) || isTerminal(record.status);
  const end = record.finishedAt ? time(record.finishedAt) : now;
  const broken = build.status === 'failed' ? 'failed' : 'stopped';
  const first = build.phases[0];
  const startedAt = build.startedAt ?? first?.startedAt;
  const phaseOf = (name: Phase) => build.phases.find((phase) => phase.name === name);

  const wait: Step = {
    name: 'wait',
    took: Math.max(0, (startedAt === undefined ? end : time(startedAt)) - time(record.createdAt)),
    state: startedAt !== undefined ? 'done' : ended ? broken : 'running',
  };
  const start: Step =
    build.startedAt === undefined
      ? { name: 'start', state: first || ended ? 'skipped' : 'waiting' }
      : {
          name: 'start',
          took: Math.max(0, (first ? time(first.startedAt) : end) - time(build.startedAt)),
          state: first ? 'done' : ended ? broken : 'running',
          ...toolchainOf(build, ended),
        };
  const phases = PHASES.map((name): Step => {
    const phase = phaseOf(name);
    if (!phase) return { name, state: ended ? 'skipped' : 'waiting' };
    const until = phase.finishedAt ?? record.finishedAt;
    return {
      name,
      took: Math.max(0, (until ? time(until) : now) - time(phase.startedAt)),
      state: phase.ok === false ? 'failed' : phase.finishedAt ? 'done' : ended ? broken : 'running',
    };
  });
  return [wait, start, ...phases];
}

/** A download that was ended by the deployment's end has no time of its own. */
function toolchainOf({ toolchain }: BuildRecord, ended: boolean): Pick<Step, 'toolchain'> {
  if (!toolchain) return {};
  const { startedAt, finishedAt } = toolchain;
  if (finishedAt) return { toolchain: Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) };
  return ended ? {} : { toolchain: 'running' };
}

/** From the request to the end, or to `now` (ms). */
export const totalTime = (record: DeploymentRecord, now: number): number =>
  Math.max(0, (record.finishedAt ? Date.parse(record.finishedAt) : now) - Date.parse(record.createdAt));

import type { BuildRecord, DeploymentRecord, Phase } from '../../contract/record.ts';
import { PHASES } from '../../contract/record.ts';

const parseTime = (iso: string) => Date.parse(iso);

/** Seconds for people: `0.4 s`, `12.3 s`, `2 min 05 s`. Clocks of two machines may differ: never below zero. */
export function formatDuration(milliseconds: number): string {
  const tenths = Math.max(0, Math.round(milliseconds / 100));
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const whole = Math.round(tenths / 10);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

export interface TimedStep {
  readonly name: 'wait' | 'toolchain' | 'start' | Phase;
  /** Milliseconds; null where the step did not begin. */
  readonly took: number | null;
  readonly ok: boolean | undefined;
}

/**
 * Duration of a build by step. `wait` is queue and analysis, `toolchain` the download of one on a laptop, `start` the rest
 * of the time from the task's start to its first phase, such as that for the container's image. Running steps end at `now`.
 */
export function listSteps(record: DeploymentRecord, build: BuildRecord, now: number): TimedStep[] {
  const first = build.phases[0];
  const end = record.finishedAt ? parseTime(record.finishedAt) : now;
  const firstAt = first ? parseTime(first.startedAt) : end;
  const startedAt = build.startedAt === undefined ? undefined : parseTime(build.startedAt);
  const begun = first ? true : undefined;
  const { toolchain } = build;
  const download = toolchain
    ? Math.max(0, (toolchain.finishedAt ? parseTime(toolchain.finishedAt) : firstAt) - parseTime(toolchain.startedAt))
    : null;
  return [
    {
      name: 'wait',
      took: (startedAt ?? firstAt) - parseTime(record.createdAt),
      ok: startedAt === undefined ? begun : true,
    },
    {
      name: 'toolchain',
      took: download,
      ok: download === null ? undefined : build.toolchain?.finishedAt ? true : begun,
    },
    {
      name: 'start',
      took: startedAt === undefined ? null : Math.max(0, firstAt - startedAt - (download ?? 0)),
      ok: begun,
    },
    ...PHASES.map((name): TimedStep => {
      const phase = build.phases.find((p) => p.name === name);
      if (!phase) return { name, took: null, ok: undefined };
      const end = phase.finishedAt ?? record.finishedAt;
      return { name, took: (end ? parseTime(end) : now) - parseTime(phase.startedAt), ok: phase.ok };
    }),
  ];
}

/** From the request to the end, or to `now`. Milliseconds. */
export const totalTime = (record: DeploymentRecord, now: number): number =>
  (record.finishedAt ? parseTime(record.finishedAt) : now) - parseTime(record.createdAt);

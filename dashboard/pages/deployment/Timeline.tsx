import type { DeploymentView } from '../../../contract/api.ts';
import { isTerminal } from '../../../contract/statuses.ts';
import { formatDuration } from '../../ui/formats.ts';
import { useNow } from '../../ui/useNow.ts';
import { listSteps, type Step, type StepState, totalTime } from './steps.ts';

const TARGETS = ['frontend', 'backend'] as const;
const NAMES: Readonly<Record<string, string>> = {
  wait: 'Queue, analysis',
  start: 'Start',
  fetch: 'Fetch',
  install: 'Install',
  build: 'Build',
  publish: 'Publish',
};
const STATES: Readonly<Record<StepState, string>> = {
  waiting: 'not begun',
  running: 'running',
  done: 'done',
  failed: 'failed',
  stopped: 'stopped',
  skipped: 'skipped',
};

/** How long each step took, a row of steps for each part; what runs goes on counting. */
export function Timeline({ record }: { readonly record: DeploymentView }) {
  const running = !isTerminal(record.status);
  const now = useNow(running ? 500 : 0);
  const parts = TARGETS.flatMap((target) => {
    const build = record.builds[target];
    return build ? [{ target, build, steps: listSteps(record, build, now) }] : [];
  });
  return (
    <section class="card" aria-labelledby="timeline">
      <div class="section-head">
        <h2 id="timeline">Timeline</h2>
        <p class="soft small">
          {running ? 'So far' : 'In all'} {formatDuration(totalTime(record, now))}
        </p>
      </div>
      {parts.length === 0 && <p class="soft">{record.sameAs ? 'Nothing was built.' : WAITING[record.status]}</p>}
      {parts.map(({ target, build, steps }) => (
        <div key={target}>
          <h3 class="part">
            {target === 'frontend' ? 'Frontend' : 'Backend'}
            {build.attempt > 1 && <span class="badge">Attempt {build.attempt}</span>}
            {build.position !== undefined && <span class="badge">Place {build.position} in the queue</span>}
          </h3>
          <ol class="steps">
            {steps.map((step) => (
              <StepItem key={step.name} step={step} />
            ))}
          </ol>
        </div>
      ))}
    </section>
  );
}

const WAITING = {
  queued: 'Waiting for its analysis.',
  analyzing: 'The repository is being read, to decide what to build.',
  building: 'The builds are being started.',
  succeeded: 'Nothing was built.',
  failed: 'It failed before a build began.',
  canceled: 'It was canceled before a build began.',
} as const;

function StepItem({ step: { name, state, took, toolchain } }: { readonly step: Step }) {
  return (
    <li class={`step step-${state}`}>
      <StepMark state={state} />
      <span class="step-name">{NAMES[name] ?? name}</span>
      <span class="visually-hidden">{STATES[state]}</span>
      <span class="step-time">{took === undefined ? '–' : formatDuration(took)}</span>
      {toolchain !== undefined && (
        <span class="step-note">
          {toolchain === 'running' ? 'downloads its toolchain' : `${formatDuration(toolchain)} of it: toolchain`}
        </span>
      )}
    </li>
  );
}

const MARKS: Readonly<Partial<Record<StepState, string>>> = {
  done: 'M4 8.5 7 11.5 12 5',
  failed: 'M5 5 11 11 M11 5 5 11',
  stopped: 'M5 8 11 8',
};

const StepMark = ({ state }: { readonly state: StepState }) => (
  <svg viewBox="0 0 16 16" width="18" height="18" class="step-mark" aria-hidden="true">
    <circle cx="8" cy="8" r="7" />
    {MARKS[state] && <path d={MARKS[state]} />}
  </svg>
);

import fc from 'fast-check';
import type { TaskUse } from '../../../contract/cost.ts';
import { type DeploymentEvent, DeploymentEventSchema } from '../../../contract/events.ts';
import type { Plan } from '../../../contract/plan.ts';
import { DeploymentRecordSchema, isTerminal } from '../../../contract/record.ts';
import { type DeploymentFacts, emptyFacts } from '../../../lambdas/domain/facts.ts';
import { reduceEvent } from '../../../lambdas/domain/reduce.ts';
import { expectedLogLines, storedBuild, toRecord } from '../../../lambdas/domain/toRecord.ts';
import { mayPromote } from '../../../lambdas/shared/promotion.ts';
import { taskUse } from '../../support/events.ts';

const target = (path: string) => ({
  path,
  framework: 'vite',
  language: 'javascript',
  packageManager: { name: 'npm' as const },
  nodeVersion: 24 as const,
  installPath: path,
  installCommand: 'npm ci',
  buildCommand: 'npm run build',
  outputDirectory: 'dist',
  evidence: [],
});
const plan: Plan = {
  commit: 'c'.repeat(40),
  frontend: target('web'),
  backend: target('api'),
  candidates: [],
  warnings: [],
};
const onlyFrontend: Plan = { ...plan, backend: undefined } as Plan;

let serial = 0;
const base = (second: number) => ({
  v: 1 as const,
  id: `e${serial++}`,
  at: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
  deploymentId: 'd1',
  projectId: 'p1',
});
const requested = (s = 0): DeploymentEvent => ({
  ...base(s),
  type: 'deployment.requested',
  owner: 'me',
  gitUrl: 'https://example.com/a.git',
  ref: null,
});
const analyzed = (s: number, p = onlyFrontend): DeploymentEvent => ({
  ...base(s),
  type: 'deployment.analyzed',
  plan: p,
});
const started = (s: number, attempt = 1, t: 'frontend' | 'backend' = 'frontend'): DeploymentEvent => ({
  ...base(s),
  type: 'build.started',
  target: t,
  attempt,
  taskArn: `task-${t}-${attempt}`,
  nodeVersion: 24,
});
const toolchain = (s: number, state: 'started' | 'finished', attempt = 1): DeploymentEvent => ({
  ...base(s),
  type: 'build.toolchain',
  target: 'frontend',
  attempt,
  state,
});
const phase = (
  s: number,
  name: 'fetch' | 'install' | 'build' | 'publish',
  state: 'started' | 'finished',
  attempt = 1,
): DeploymentEvent => ({ ...base(s), type: 'build.phase', target: 'frontend', attempt, phase: name, state, ok: true });
const succeeded = (s: number, attempt = 1, t: 'frontend' | 'backend' = 'frontend'): DeploymentEvent => ({
  ...base(s),
  type: 'build.succeeded',
  target: t,
  attempt,
  artifact: { kind: 'static', bucket: 'b', prefix: `p/${attempt}/`, files: 1, bytes: 2 },
  logLines: 7,
});
const stored = (s: number, attempt = 1): DeploymentEvent => ({
  ...base(s),
  type: 'build.stored',
  target: 'frontend',
  attempt,
  artifact: { kind: 'static', bucket: 'b', prefix: `p/${attempt}/`, files: 1, bytes: 2 },
  logLines: 5,
});
const failed = (s: number, attempt = 1, t: 'frontend' | 'backend' = 'frontend'): DeploymentEvent => ({
  ...base(s),
  type: 'build.failed',
  target: t,
  attempt,
  error: { code: 'BUILD_FAILED', message: `failed at ${s}`, phase: 'build', exitCode: 1 },
});
const retrying = (s: number, attempt = 1): DeploymentEvent => ({
  ...base(s),
  type: 'build.retrying',
  target: 'frontend',
  attempt,
  error: { code: 'TASK_LOST', message: 'lost' },
});
const canceled = (s: number): DeploymentEvent => ({ ...base(s), type: 'deployment.canceled', reason: 'user' });

const fold = (events: readonly DeploymentEvent[]) => events.reduce(reduceEvent, emptyFacts);
const record = (...events: DeploymentEvent[]) => toRecord(fold(events));

describe('one deployment, in order', () => {
  it('goes queued → analyzing → building → succeeded', () => {
    const way = [
      requested(0),
      { ...base(1), type: 'deployment.analyzing' } as DeploymentEvent,
      analyzed(2),
      started(3),
      phase(4, 'fetch', 'started'),
      phase(5, 'fetch', 'finished'),
      succeeded(6),
    ];
    const seen = way.map((_, i) => record(...way.slice(0, i + 1))?.status);
    expect(seen).toEqual(['queued', 'analyzing', 'analyzing', 'building', 'building', 'building', 'succeeded']);
    expect(record(...way)).toMatchObject({
      commit: plan.commit,
      finishedAt: '2026-01-01T00:00:06.000Z',
      builds: { frontend: { status: 'succeeded', taskArn: 'task-frontend-1', phases: [{ name: 'fetch', ok: true }] } },
    });
  });

  it('is null before the request is known and keeps what came early', () => {
    expect(record(succeeded(5))).toBeNull();
    expect(record(succeeded(5), analyzed(2), requested(0))).toMatchObject({ status: 'succeeded' });
  });

  it('waits for every target and fails with the first error', () => {
    const common = [requested(), analyzed(1, plan), started(2), started(2, 1, 'backend')];
    expect(record(...common, succeeded(5))).toMatchObject({
      status: 'building',
      builds: { frontend: { status: 'succeeded' } },
    });
    expect(record(...common, succeeded(5), failed(6, 1, 'backend'))).toMatchObject({
      status: 'failed',
      error: { message: 'failed at 6' },
      builds: { frontend: { status: 'succeeded' }, backend: { status: 'failed' } },
    });
  });

  it('tells of a deployment that has ended which parts were published', () => {
    const common = [requested(), analyzed(1, plan), started(2), started(2, 1, 'backend')];
    expect(record(...common)?.outcome).toBeUndefined();
    expect(record(...common, succeeded(5), succeeded(6, 1, 'backend'))?.outcome).toBe('complete');
    expect(record(...common, succeeded(5), failed(6, 1, 'backend'))?.outcome).toBe('partial');
    expect(record(...common, failed(5), failed(6, 1, 'backend'))?.outcome).toBe('none');
    expect(record(requested(), analyzed(1), started(2), succeeded(3))?.outcome).toBe('complete');
    expect(record(requested(), canceled(1))?.outcome).toBe('none');
  });

  it('lets a stored site wait for the backend, and does not take it for published', () => {
    const common = [requested(), analyzed(1, plan), started(2), started(2, 1, 'backend'), stored(5)];
    const waiting = record(...common);
    expect(waiting).toMatchObject({ status: 'building', builds: { frontend: { status: 'building', stored: true } } });
    expect(waiting?.builds.frontend?.artifact).toBeUndefined();
    const ready = record(...common, succeeded(6, 1, 'backend'));
    expect(ready).toMatchObject({ status: 'building', builds: { frontend: { stored: true } } });
    const done = record(...common, succeeded(6, 1, 'backend'), succeeded(7));
    expect(done).toMatchObject({ status: 'succeeded', outcome: 'complete', finishedAt: '2026-01-01T00:00:07.000Z' });
    expect(done?.builds.frontend).toMatchObject({ status: 'succeeded', artifact: { files: 1 } });
    expect(done?.builds.frontend?.stored).toBeUndefined();
  });

  it('never publishes a stored site whose backend failed, whichever came first', () => {
    for (const [s, f] of [
      [5, 6],
      [6, 5],
    ] as const) {
      const end = record(requested(), analyzed(1, plan), started(2), stored(s), failed(f, 1, 'backend'));
      expect(end).toMatchObject({
        status: 'failed',
        outcome: 'none',
        error: { code: 'BUILD_FAILED' },
        finishedAt: '2026-01-01T00:00:06.000Z',
        builds: {
          frontend: { status: 'canceled', error: { code: 'OTHER_PART_FAILED' } },
          backend: { status: 'failed' },
        },
      });
    }
    const canceledFirst = record(requested(), analyzed(1, plan), stored(3), canceled(4), failed(5, 1, 'backend'));
    expect(canceledFirst).toMatchObject({ status: 'canceled', outcome: 'none' });
    expect(canceledFirst?.builds.frontend?.error).toBeUndefined();
  });

  it('promotes what the attempt after a retry stored, since no success of the one before counts', () => {
    const common = [requested(), analyzed(1, plan), stored(3), retrying(4), succeeded(5, 1, 'backend')];
    expect(record(...common)?.builds.frontend).toMatchObject({ status: 'queued', attempt: 2 });
    expect(record(...common)?.builds.frontend?.stored).toBeUndefined();
    const again = [...common, stored(6, 2)];
    expect(storedBuild(fold(again), 'frontend')?.attempt).toBe(2);
    const { attempt } = storedBuild(fold(again), 'frontend')!;
    expect(record(...again, succeeded(7, attempt))).toMatchObject({ status: 'succeeded', outcome: 'complete' });
  });

  it('keeps the first terminal state by event time', () => {
    const common = [requested(), analyzed(1), started(2)];
    expect(record(...common, canceled(5), succeeded(6))).toMatchObject({
      status: 'canceled',
      builds: { frontend: { status: 'canceled' } },
    });
    expect(record(...common, canceled(5), succeeded(6))?.builds.frontend?.artifact).toBeUndefined();
    expect(record(...common, canceled(7), succeeded(6))).toMatchObject({ status: 'succeeded' });
    expect(record(...common, failed(5), succeeded(6))).toMatchObject({
      status: 'failed',
      builds: { frontend: { status: 'failed' } },
    });
  });

  it('shows the attempt that runs after a retry', () => {
    const common = [requested(), analyzed(1), started(2), phase(3, 'fetch', 'started'), retrying(4)];
    expect(record(...common)).toMatchObject({
      status: 'building',
      builds: { frontend: { status: 'queued', attempt: 2, phases: [] } },
    });
    const second = [...common, started(5, 2), succeeded(8, 2)];
    expect(record(...second)).toMatchObject({
      status: 'succeeded',
      builds: { frontend: { attempt: 2, taskArn: 'task-frontend-2' } },
    });
    expect(expectedLogLines(fold(second))).toEqual({ frontend: { attempt: 2, lines: 7 } });
  });

  const said = (s: number, code: string, attempt = 1): DeploymentEvent => ({
    ...base(s),
    type: 'build.failed',
    target: 'frontend',
    attempt,
    error: { code, message: code },
  });

  it.each(['PUBLISH_FAILED', 'BUILD_STOPPED'])('leaves it open what follows a builder that says %s', (code) => {
    const common = [requested(), analyzed(1), started(2), said(3, code)];
    expect(record(...common)).toMatchObject({
      status: 'building',
      builds: { frontend: { status: 'building', attempt: 1 } },
    });
    expect(record(...common, retrying(9))).toMatchObject({ status: 'building', builds: { frontend: { attempt: 2 } } });
    // What the platform decides stands, also by a clock that is behind.
    expect(record(...common, said(2, 'RETRIES_EXHAUSTED'))).toMatchObject({
      status: 'failed',
      error: { code: 'RETRIES_EXHAUSTED' },
    });
    expect(record(...common, canceled(9))).toMatchObject({ status: 'canceled' });
  });

  it('follows the verdict between a cancellation and a success, whatever their clocks say', () => {
    const common = [requested(), analyzed(1, plan), started(2), started(2, 1, 'backend')];
    const fenced = (s: number, published: ('frontend' | 'backend')[]) =>
      ({ ...canceled(s), published }) as DeploymentEvent;
    // The frontend had published before the cancellation; the backend says too late, by a clock that is behind, that it has.
    expect(record(...common, succeeded(9), fenced(5, ['frontend']), succeeded(3, 1, 'backend'))).toMatchObject({
      status: 'canceled',
      builds: { frontend: { status: 'succeeded', artifact: { files: 1 } }, backend: { status: 'canceled' } },
    });
    // The event of a cancellation was lost, its verdict was not.
    const refused = record(requested(), analyzed(1), started(2), said(3, 'DEPLOYMENT_CANCELED'));
    expect(refused).toMatchObject({ status: 'canceled', builds: { frontend: { status: 'canceled' } } });
    expect(refused?.error ?? refused?.builds.frontend?.error).toBeUndefined();
  });

  it('ends a deployment whose analysis failed', () => {
    const error = { code: 'REPO_EMPTY', message: 'empty' };
    expect(record(requested(), { ...base(1), type: 'deployment.failed', error })).toMatchObject({
      status: 'failed',
      error,
      finishedAt: '2026-01-01T00:00:01.000Z',
    });
  });
});

const second = fc.integer({ min: 0, max: 12 });
const attempt = fc.integer({ min: 1, max: 3 });
const anyTarget = fc.constantFrom('frontend' as const, 'backend' as const);
const anyEvent: fc.Arbitrary<DeploymentEvent> = fc.oneof(
  second.map((s) => analyzed(s, onlyFrontend)),
  second.map((s) => analyzed(s, plan)),
  fc.tuple(second, attempt, anyTarget).map(([s, a, t]) => started(s, a, t)),
  fc
    .tuple(
      second,
      fc.constantFrom('fetch' as const, 'install' as const),
      fc.constantFrom('started' as const, 'finished' as const),
      attempt,
    )
    .map(([s, p, st, a]) => phase(s, p, st, a)),
  fc
    .tuple(second, attempt, fc.constantFrom('started' as const, 'finished' as const))
    .map(([s, a, state]) => toolchain(s, state, a)),
  fc.tuple(second, attempt, anyTarget).map(([s, a, t]) => succeeded(s, a, t)),
  fc.tuple(second, attempt, anyTarget).map(([s, a, t]) => failed(s, a, t)),
  fc.tuple(second, attempt).map(([s, a]) => retrying(s, a)),
  fc.tuple(second, attempt).map(([s, a]) => stored(s, a)),
  second.map((s) => canceled(s)),
  fc
    .tuple(second, attempt, anyTarget, fc.integer({ min: 60, max: 7_200 }))
    .map(([s, a, t, seconds]): DeploymentEvent => {
      const use = taskUse({ seconds, ...(seconds % 5 === 0 && { rates: undefined }) } as Partial<TaskUse>);
      return { ...base(s), type: 'build.used', target: t, attempt: a, use };
    }),
  fc
    .tuple(second, fc.subarray(['frontend' as const, 'backend' as const]))
    .map(([s, published]) => ({ ...canceled(s), published }) as DeploymentEvent),
  fc
    .tuple(second, attempt, anyTarget, fc.constantFrom('PUBLISH_FAILED', 'BUILD_STOPPED', 'DEPLOYMENT_CANCELED'))
    .map(([s, a, t, code]) => ({ ...failed(s, a, t), error: { code, message: code } }) as DeploymentEvent),
  second.map(
    (s): DeploymentEvent => ({ ...base(s), type: 'deployment.failed', error: { code: 'X', message: `${s}` } }),
  ),
  second.map((s) => requested(s)),
);

it('shows the download of a toolchain apart from the phases, also before it ends; earlier records have none', () => {
  const at = (s: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, s)).toISOString();
  const begun = [requested(), analyzed(1), started(2), toolchain(3, 'started')].reduce(reduceEvent, emptyFacts);
  expect(toRecord(begun)?.builds.frontend).toMatchObject({ toolchain: { startedAt: at(3) }, phases: [] });
  const ended = [toolchain(9, 'finished'), phase(10, 'fetch', 'started')].reduce(reduceEvent, begun);
  expect(toRecord(ended)?.builds.frontend).toMatchObject({
    toolchain: { startedAt: at(3), finishedAt: at(9) },
    phases: [{ name: 'fetch', startedAt: at(10) }],
  });
  const without = [requested(), analyzed(1), started(2)].reduce(reduceEvent, emptyFacts);
  expect(toRecord(without)?.builds.frontend).not.toHaveProperty('toolchain');
});

describe('any events in any order', () => {
  it('generates valid events', () => {
    fc.assert(fc.property(anyEvent, (e) => DeploymentEventSchema.safeParse(e).success));
  });

  it('gives one record for every order and repetition', () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 14 }).chain((events) =>
          fc.record({
            events: fc.constant(events),
            again: fc.shuffledSubarray(events),
            shuffled: fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
          }),
        ),
        ({ events, again, shuffled }) => compare(events, shuffled, again),
      ),
      { numRuns: 500 },
    );
  });

  it('never throws on a truncated history and always gives a valid record', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 14 }), (events) => {
        let facts: DeploymentFacts = reduceEvent(emptyFacts, requested(0));
        for (const e of events) {
          facts = reduceEvent(facts, e);
          const r = DeploymentRecordSchema.parse(toRecord(facts));
          const done = isTerminal(r.status);
          expect(r.finishedAt !== undefined).toBe(done);
          if (done) for (const b of Object.values(r.builds)) expect(b && isTerminal(b.status)).toBe(true);
          if (r.status !== 'failed') expect(r.error).toBeUndefined();
          expect(r.outcome !== undefined).toBe(done);
          for (const b of Object.values(r.builds)) {
            expect(b?.artifact !== undefined).toBe(b?.status === 'succeeded');
            if (b?.stored) expect([done, b.status]).toEqual([false, 'building']);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('can be ended by what the platform says of builds that have no job left: none is building for ever', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 14 }), fc.boolean(), (events, both) => {
        let facts = fold([requested(0), both ? analyzed(1, plan) : analyzed(1), ...events]);
        // The second time something may have become due: a promotion after the backend's end.
        for (const at of [500, 600]) {
          const told = toRecord(facts)!;
          if (isTerminal(told.status)) return;
          for (const t of ['frontend', 'backend'] as const) {
            const build = told.plan![t] && told.builds[t];
            if (!build || isTerminal(build.status)) continue;
            if (mayPromote(told) && t === 'frontend')
              facts = reduceEvent(facts, succeeded(at, storedBuild(facts, t)!.attempt));
            else if (!build.stored) facts = reduceEvent(facts, failed(at, build.attempt, t));
          }
        }
        expect(isTerminal(toRecord(facts)!.status)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('survives JSON', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 10 }), (events) => {
        const facts = fold([requested(0), ...events]);
        expect(toRecord(JSON.parse(JSON.stringify(facts)))).toEqual(toRecord(facts));
      }),
      { numRuns: 100 },
    );
  });
});

function compare(events: DeploymentEvent[], shuffled: DeploymentEvent[], again: DeploymentEvent[]): void {
  const origin = requested(0);
  const inOrder = fold([origin, ...events]);
  const disordered = fold([...shuffled, ...again, origin, ...again]);
  expect(disordered).toEqual(inOrder);
  expect(toRecord(disordered)).toEqual(toRecord(inOrder));
}

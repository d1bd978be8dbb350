import fc from 'fast-check';
import { type DeploymentEvent, DeploymentEventSchema } from '../../../contract/events.ts';
import { PHASES } from '../../../contract/record.ts';
import { eventsOf } from '../../../lambdas/domain/eventsOf.ts';
import { emptyFacts } from '../../../lambdas/domain/facts.ts';
import { reduceEvent } from '../../../lambdas/domain/reduce.ts';
import { event, frontendPlan, taskUse } from '../../support/events.ts';

const target = fc.constantFrom('frontend' as const, 'backend' as const);
const attempt = fc.integer({ min: 1, max: 25 });
const code = fc.constantFrom('BUILD_FAILED', 'BUILD_STOPPED', 'TASK_LOST');
const anyEvent = fc
  .tuple(
    fc.integer({ min: 1, max: 30 }),
    fc.oneof(
      fc.constant({ type: 'deployment.requested', owner: 'eve', gitUrl: 'https://git.example/b.git', ref: null }),
      fc.constant({ type: 'deployment.analyzing' }),
      fc.constant({ type: 'deployment.analyzed', plan: frontendPlan() }),
      fc.constant({ type: 'deployment.failed', error: { code: 'CLONE_FAILED', message: 'no' } }),
      fc.record({ type: fc.constant('deployment.canceled'), reason: fc.constantFrom('user', 'superseded') }),
      fc.record({
        type: fc.constant('build.started'),
        target,
        attempt,
        taskArn: fc.string({ minLength: 1 }),
        nodeVersion: fc.constant(24),
      }),
      fc.record({
        type: fc.constant('build.toolchain'),
        target,
        attempt,
        state: fc.constantFrom('started', 'finished'),
      }),
      fc.record({
        type: fc.constant('build.phase'),
        target,
        attempt,
        phase: fc.constantFrom(...PHASES),
        state: fc.constantFrom('started', 'finished'),
        ok: fc.boolean(),
      }),
      fc.record({
        type: fc.constant('build.used'),
        target,
        attempt,
        use: fc.integer({ min: 60, max: 7_200 }).map((seconds) => taskUse({ seconds })),
      }),
      fc.record({
        type: fc.constantFrom('build.failed', 'build.retrying'),
        target,
        attempt,
        error: fc.record({ code, message: fc.string() }),
      }),
    ),
  )
  .map(([second, body]) => DeploymentEventSchema.parse(event(second, body as never)));

const request = event(0, {
  type: 'deployment.requested',
  owner: 'ann',
  gitUrl: 'https://git.example/a.git',
  ref: null,
});

test('the events of facts give the same facts, whatever happened and how often it was told', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      const facts = [request, ...events].reduce(reduceEvent, emptyFacts);
      const archived: DeploymentEvent[] = JSON.parse(JSON.stringify(eventsOf(facts)));
      const restored = archived.map((e) => DeploymentEventSchema.parse(e)).reduce(reduceEvent, emptyFacts);
      expect(restored).toEqual(facts);
      expect(eventsOf(restored)).toEqual(eventsOf(facts));
    }),
    { numRuns: 300 },
  );
});

test('without a request there are none', () => {
  expect(eventsOf(reduceEvent(emptyFacts, event(1, { type: 'deployment.analyzing' })))).toEqual([]);
});

import { DeploymentEventSchema } from '../../../contract/events.ts';
import type { WatcherDeps } from '../../../lambdas/task-watcher/reconcile.ts';
import { lookAfterUnfinished } from '../../../lambdas/task-watcher/unfinished.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { backendPlan, event, frontendPlan } from '../../support/events.ts';
import { silentLog } from '../../support/log.ts';

const MINUTE = 60_000;

/** A deployment whose jobs are lost, as after a rebuild; `minutes` after its last event the sweep looks. */
async function sweepAfter(minutes: number, started: boolean): Promise<string[]> {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now };
  const ports = await openMemoryPlatform({ clock });
  const requested = event(0, { type: 'deployment.requested', owner: 'ada', gitUrl: 'https://h/x', ref: null });
  const events = [requested, event(1, { type: 'deployment.analyzed', plan: frontendPlan() })];
  if (started)
    events.push(event(2, { type: 'build.started', target: 'frontend', attempt: 1, taskArn: 'task', nodeVersion: 24 }));
  await ports.store.fold('d1', events);
  const said: string[] = [];
  ports.bus.subscribe('deployment-events', async (batch) => {
    for (const { value } of batch) {
      const told = DeploymentEventSchema.parse(JSON.parse(value));
      said.push(told.type === 'build.failed' ? told.error.code : told.type);
    }
  });
  now += minutes * MINUTE;
  // What is asked of anything else here would be a mistake: it is not there.
  const deps = {
    ...ports,
    clock,
    findArtifact: async () => null,
    timeoutSeconds: { frontend: 30 * 60, backend: 30 * 60 },
    log: silentLog,
  } as Partial<WatcherDeps> as WatcherDeps;
  await lookAfterUnfinished(deps);
  await ports.bus.idle();
  await ports.close();
  return said;
}

describe('a build whose job is lost', () => {
  it('is given up after a while where nothing of it runs', async () => {
    expect(await sweepAfter(14, false)).toEqual([]);
    expect(await sweepAfter(16, false)).toEqual(['JOB_LOST']);
  });

  it('is left to its task for as long as that may be silent in one phase', async () => {
    expect(await sweepAfter(44, true)).toEqual([]);
    expect(await sweepAfter(46, true)).toEqual(['JOB_LOST']);
  });
});

test('a stored site whose promotion is lost is promoted anew, and one that waits for its backend is left alone', async () => {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now };
  const ports = await openMemoryPlatform({ clock });
  const artifact = { kind: 'static', bucket: 'b', prefix: '__outputs/p1/', files: 1, bytes: 2 } as const;
  const of = { attempt: 1, artifact, logLines: 3 };
  await ports.store.fold('d1', [
    event(0, { type: 'deployment.requested', owner: 'ada', gitUrl: 'https://h/x', ref: null }),
    event(1, { type: 'deployment.analyzed', plan: { ...frontendPlan(), ...backendPlan() } }),
    event(2, { type: 'build.stored', target: 'frontend', ...of }),
    event(2, { type: 'build.started', target: 'backend', attempt: 1, taskArn: 'task', nodeVersion: 24 }),
  ]);
  const deps = {
    ...ports,
    clock,
    timeoutSeconds: { frontend: 30 * 60, backend: 30 * 60 },
    log: silentLog,
  } as Partial<WatcherDeps> as WatcherDeps;
  now += 46 * MINUTE - 2_000;
  // Of the backend alone something is asked.
  const asked: string[] = [];
  const findArtifact = async ({ target }: { target: string }) => {
    asked.push(target);
    return null;
  };
  await lookAfterUnfinished({ ...deps, findArtifact });
  expect(asked).toEqual(['backend']);
  expect(await ports.queue.list('promote', 'waiting')).toEqual([]);

  await ports.store.fold('d1', [event(46 * 60, { type: 'build.succeeded', target: 'backend', ...of })]);
  now += MINUTE;
  await lookAfterUnfinished(deps);
  await lookAfterUnfinished(deps);
  expect(await ports.queue.list('promote', 'waiting')).toMatchObject([{ id: 'd1', data: { attempt: 1, logLines: 3 } }]);
  await ports.close();
});

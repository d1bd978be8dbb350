import fc from 'fast-check';
import { s3Keys } from '../../../contract/names.ts';
import type { Release } from '../../../contract/project.ts';
import { deploymentIds } from '../../../lambdas/domain/deploymentIds.ts';
import { makeAnalyzedEvent, makeBuildEvent, makeRequestedEvent } from '../../../lambdas/domain/events.ts';
import { releaseAutomatically } from '../../../lambdas/domain/releases.ts';
import { s3Archive } from '../../../lambdas/shared/archive.ts';
import { openAudit } from '../../../lambdas/shared/audit.ts';
import { closePreview } from '../../../lambdas/shared/projects/closePreview.ts';
import { deletionNoter } from '../../../lambdas/shared/projects/deletions.ts';
import { keepReused, requireKept } from '../../../lambdas/shared/projects/expiry.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import { openVariableStore } from '../../../lambdas/shared/projects/variableStore.ts';
import { branchHost, deploymentHost } from '../../../lambdas/shared/sites/routes.ts';
import { projectSweep } from '../../../lambdas/task-watcher/sweepProjects.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { frontendPlan } from '../../support/events.ts';
import { silentLog } from '../../support/log.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

const DAY = 24 * 3_600_000;
const bucket = 'b';
const artifact = { kind: 'static' as const, bucket, prefix: 'x', files: 1, bytes: 5 };

async function scene() {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now };
  const s3 = memoryS3(() => now);
  const ports = await openMemoryPlatform({ clock });
  const newId = deploymentIds(clock);
  const projects = openProjectStore({ s3, bucket, clock });
  await projects.ensure('shop', 'ada', {});
  const bus = {
    async publish(_topic: unknown, messages: readonly { value: string }[]) {
      for (const { value } of messages) {
        const event = JSON.parse(value);
        await ports.store.fold(event.deploymentId, [event]);
      }
    },
  };
  const storage = { s3, bucket, clock };
  const variables = openVariableStore(storage);
  const deps = {
    ...{ ...ports, ...storage, projects, bus, log: silentLog },
    ...{ archive: s3Archive(s3, bucket), audit: openAudit(storage), removeImages: async () => 0, variables },
  };
  let releases = 0;
  return {
    ...{ ports, projects, s3, clock, deps, variables },
    pass(days: number) {
      now += days * DAY;
    },
    sweep: projectSweep(deps, { passMs: 0, runMs: 60_000 }),
    close: (branch: string) =>
      closePreview(
        { projects, store: ports.store, noteDeletion: deletionNoter(s3, bucket), clock },
        { projectId: 'shop', owner: 'ada', branch },
      ),
    /** A site that was built; `names`: earlier deployments whose objects are part of it. */
    async deploy({
      lane = 'preview' as 'preview' | 'production',
      branch = 'topic',
      names = [] as string[],
      fold = true,
    } = {}) {
      const id = newId();
      const version = (await variables.current('shop'))?.version;
      const of = {
        ...{ deploymentId: id, projectId: 'shop', owner: 'ada', gitUrl: 'https://h/x', ref: null },
        ...(version !== undefined && { variables: { version } }),
      };
      const requested = makeRequestedEvent({ ...of, correlationId: undefined }, `${id}-r`, now);
      await ports.store.create({ requested, request: { projectId: 'shop', gitUrl: 'https://h/x' } });
      const plan = { ...frontendPlan(), lane, branch };
      const build = { deploymentId: id, projectId: 'shop', target: 'frontend' as const, attempt: 1 };
      const succeeded = makeBuildEvent(build, { type: 'build.succeeded', artifact, logLines: 0 }, now);
      if (fold) await ports.store.fold(id, [makeAnalyzedEvent(of, plan, now), succeeded]);
      const objects = [id, ...names].map((one) => ({ key: `${s3Keys.deploymentFiles('shop', one)}index.html` }));
      s3.objects.set(`${s3Keys.deploymentFiles('shop', id)}index.html`, 'hello');
      s3.objects.set(s3Keys.deploymentManifest('shop', id), JSON.stringify({ objects }));
      return id;
    },
    /** As a promotion does: the record is read, then the document is changed. */
    async release(deploymentId: string, between: () => Promise<unknown> = async () => undefined) {
      const record = (await ports.store.get(deploymentId))?.record;
      if (!record || record.expired) return 'expired';
      await between();
      const release: Release = {
        releaseId: `r${++releases}`,
        deploymentId,
        kind: 'promote',
        at: new Date(now).toISOString(),
        by: 'ada',
      };
      try {
        await projects.change('shop', (p) => ({
          ...requireKept(p, deploymentId),
          release,
          releases: [release, ...p.releases],
        }));
        return 'released';
      } catch {
        return 'expired';
      }
    },
    /** Another version of the project's variables. @returns its number */
    async setVariable() {
      const made = await variables.change('shop', (before, { version, at }) => [
        ...before.slice(1),
        {
          ...{ name: 'A', environment: 'production' as const, secret: false, seenBy: ['run' as const], by: 'ada' },
          ...{ sealed: '1.1.x', since: version, updatedAt: at },
        },
      ]);
      return made!.version;
    },
    has: (id: string) =>
      s3.objects.has(`${s3Keys.deploymentFiles('shop', id)}index.html`) &&
      s3.objects.has(s3Keys.deploymentManifest('shop', id)),
    expired: async (id: string) => (await ports.store.get(id))?.record.expired?.reason,
  };
}

test('previews go after their time, and their records say so; the log and the record stay', async () => {
  const { deploy, pass, sweep, has, expired, ports } = await scene();
  const old = await deploy();
  pass(20);
  const young = await deploy();
  pass(9);
  await sweep();
  expect([has(old), has(young)]).toEqual([true, true]);
  pass(2);
  await sweep();
  expect([has(old), has(young), await expired(old), await expired(young)]).toEqual([false, true, 'age', undefined]);
  expect((await ports.store.get(old))?.record.status).toBe('succeeded');
});

test('what production serves, or has served, is kept by number and by age', async () => {
  const { deploy, pass, sweep, has, release, projects } = await scene();
  await projects.change('shop', (p) => ({ ...p, settings: { releases: { keep: 2, keepDays: 5 } } }));
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    ids.push(await deploy({ lane: 'production' }));
    await release(ids.at(-1)!);
    pass(2);
  }
  const unreleased = await deploy({ lane: 'production' });
  await sweep();
  // Released 10 and 8 days ago, 6, 4 and 2.
  expect(ids.map(has)).toEqual([false, false, false, true, true]);
  pass(400);
  await sweep();
  expect(ids.map(has)).toEqual([false, false, false, true, true]);
  expect(has(unreleased)).toBe(false);
});

test('what runs, what a kept site names and what an unchanged deployment shows stays', async () => {
  const { deploy, pass, sweep, has, projects, clock, release } = await scene();
  const [base, shown, running, free] = [await deploy(), await deploy(), await deploy({ fold: false }), await deploy()];
  pass(29);
  const above = await deploy({ names: [base], lane: 'production' });
  await release(above);
  await projects.change('shop', (p) => keepReused(p, shown, 'preview', clock.now()));
  pass(5);
  await sweep();
  expect([base, shown, running, free, above].map(has)).toEqual([true, true, true, false, true]);
  pass(40);
  await sweep();
  expect([base, shown, running, above].map(has)).toEqual([true, false, true, true]);
});

test('a preview that was closed goes at the next sweep, and what production has served of it stays', async () => {
  const { deploy, sweep, has, close, release, expired } = await scene();
  const [a, b, other] = [await deploy(), await deploy(), await deploy({ branch: 'else' })];
  await release(b);
  expect(await close('topic')).toBe(1);
  expect(await close('topic')).toBe(0);
  expect(await close('unknown')).toBe(0);
  await sweep();
  expect([has(a), has(b), has(other), await expired(a)]).toEqual([false, true, true, 'closed']);
});

test('a release and the sweep have one order: what is released has its files, whatever was first', async () => {
  const outcomes = new Set<string>();
  for (let turn = 0; turn < 60; turn++) {
    const { deploy, pass, sweep, has, release, ports } = await scene();
    const ids = [await deploy(), await deploy(), await deploy()];
    pass(31);
    const wait = async (n: number) => {
      for (let i = 0; i < n; i++) await new Promise(setImmediate);
    };
    const [answer] = await Promise.all([
      wait(turn % 30).then(() => release(ids[1]!, () => wait(turn % 7))),
      wait(turn % 11).then(sweep),
    ]);
    outcomes.add(answer);
    expect([turn, answer, has(ids[1]!)]).toEqual([turn, answer, answer === 'released']);
    await sweep();
    expect(has(ids[1]!)).toBe(answer === 'released');
    await ports.close();
  }
  expect([...outcomes].sort()).toEqual(['expired', 'released']);
});

test('a release that has read the record before the whole removal is refused all the same', async () => {
  const { deploy, pass, sweep, release, has } = await scene();
  const id = await deploy();
  pass(31);
  expect(await release(id, sweep)).toBe('expired');
  expect(has(id)).toBe(false);
});

test('any history of deployments, variables, releases, closings and sweeps: production has its files', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('deploy' as const), lane: fc.constantFrom('preview' as const, 'production' as const) }),
    fc.record({ do: fc.constant('release' as const), at: fc.nat(9) }),
    fc.record({ do: fc.constant('pass' as const), days: fc.integer({ min: 1, max: 40 }) }),
    fc.constant({ do: 'sweep' as const }),
    fc.constant({ do: 'close' as const }),
    fc.constant({ do: 'set' as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { deploy, release, pass, sweep, close, has, projects, ports, setVariable, variables } = await scene();
      const ids: string[] = [];
      for (const s of steps) {
        if (s.do === 'deploy') ids.push(await deploy({ lane: s.lane, names: ids.slice(-1) }));
        if (s.do === 'release' && ids[s.at]) {
          const wasThere = has(ids[s.at]!);
          expect(await release(ids[s.at]!)).toBe(wasThere ? 'released' : 'expired');
        }
        if (s.do === 'pass') pass(s.days);
        if (s.do === 'sweep') await sweep();
        if (s.do === 'close') {
          await close('topic');
          await sweep();
        }
        if (s.do === 'set') await setVariable();
        const live = (await projects.get('shop'))?.release?.deploymentId;
        if (live) expect(has(live)).toBe(true);
        // Whatever can still be released finds its variables.
        for (const id of ids.filter(has)) {
          const used = (await ports.store.get(id))?.record.variables;
          if (used) expect((await variables.at('shop', used.version)).version).toBe(used.version);
        }
      }
      await ports.close();
    }),
    { numRuns: 60 },
  );
});

test('10,000 previews: a run looks at those that may go and no further', async () => {
  const { s3, pass, sweep, deps, projects, clock } = await scene();
  const newId = deploymentIds(clock);
  const record = (deploymentId: string) => ({
    ...{ deploymentId, projectId: 'shop', owner: 'ada', gitUrl: 'x', ref: null, commit: null, status: 'failed' },
    ...{
      createdAt: new Date(clock.now()).toISOString(),
      updatedAt: new Date(clock.now()).toISOString(),
      plan: null,
      builds: {},
    },
    environment: 'preview',
  });
  const make = (n: number) => {
    for (let i = 0; i < n; i++) {
      const id = newId();
      s3.objects.set(s3Keys.deploymentManifest('shop', id), '{"objects":[]}');
      s3.objects.set(s3Keys.record(id), JSON.stringify(record(id)));
    }
  };
  make(400);
  pass(20);
  make(9_600);
  pass(11);
  const calls: Record<string, number> = {};
  const counted = {
    ...s3,
    send: (command: { constructor: { name: string } }) => {
      calls[command.constructor.name] = (calls[command.constructor.name] ?? 0) + 1;
      return s3.send(command as never);
    },
  };
  const left = () =>
    [...s3.objects.keys()].filter((key) => key.startsWith('__deployments/shop/') && key.endsWith('/manifest.json'))
      .length;
  const one = projectSweep(
    { ...deps, s3: counted as never, projects: openProjectStore({ s3: counted as never, bucket, clock }) },
    { passMs: 0 },
  );
  // Manifests are learned in the first runs, 500 in each, and then never again.
  for (let run = 0; run < 21 && left() > 9_600; run++) await one();
  expect(left()).toBe(9_600);
  expect(calls.GetObjectCommand!).toBeLessThan(25_000);
  const before = calls.ListObjectsV2Command!;
  await one();
  expect(calls.ListObjectsV2Command! - before).toBeLessThan(20);
  expect((await projects.get('shop'))!.expiring!.length).toBeLessThanOrEqual(500);
  void sweep;
}, 120_000);

/** Versions of the project's variables that are stored, the newest among them. */
const versionsOf = async ({ s3, variables }: Pick<Awaited<ReturnType<typeof scene>>, 's3' | 'variables'>) => {
  const stored = [...s3.objects.keys()].flatMap((key) => /^__variables\/shop\/(\d+)\.json$/.exec(key)?.[1] ?? []);
  return [...stored.map(Number), (await variables.current('shop'))?.version].sort();
};

test('versions of variables go with the last deployment that has them; a rollback finds its own', async () => {
  const all = await scene();
  const { deploy, release, pass, sweep, setVariable, variables, ports, has, s3 } = all;
  await setVariable();
  const preview = await deploy();
  await setVariable();
  const first = await deploy({ lane: 'production' });
  await release(first);
  await setVariable();
  await setVariable();
  const second = await deploy({ lane: 'production' });
  await release(second);
  await setVariable();
  await sweep();
  // Just replaced: a deployment that was accepted with one of them may not be stored yet.
  expect(await versionsOf(all)).toEqual([1, 2, 3, 4, 5]);
  pass(2);
  await sweep();
  expect(await versionsOf(all)).toEqual([1, 2, 4, 5]);
  pass(31);
  await sweep();
  await sweep();
  expect([has(preview), has(first), has(second)]).toEqual([false, true, true]);
  expect(await versionsOf(all)).toEqual([2, 4, 5]);
  expect(await release(first)).toBe('released');
  const { record } = (await ports.store.get(first))!;
  expect((await variables.at('shop', record.variables!.version)).version).toBe(2);
  // The store forgets records after 90 days, the archive does not.
  s3.objects.set(s3Keys.record(first), JSON.stringify(record));
  await ports.store.remove(first);
  pass(60);
  await sweep();
  expect(await versionsOf(all)).toEqual([2, 4, 5]);
});

test('versions of variables that a release has later than its deployment stay, and what is to be released so is kept', async () => {
  const all = await scene();
  const { deploy, pass, sweep, setVariable, projects, has } = all;
  await setVariable();
  const [released, waiting] = [await deploy({ lane: 'production' }), await deploy({ lane: 'production' })];
  for (let i = 0; i < 4; i++) await setVariable();
  const release = (deploymentId: string, version: number) => ({
    ...{ releaseId: `r${version}`, deploymentId, kind: 'promote' as const, by: 'ada', at: new Date(0).toISOString() },
    variables: { version },
  });
  await projects.change('shop', (project) => ({
    ...project,
    ...{ release: release(released, 2), releases: [release(released, 2)], nextRelease: release(waiting, 4) },
  }));
  pass(40);
  await sweep();
  await sweep();
  expect([has(released), has(waiting)]).toEqual([true, true]);
  expect(await versionsOf(all)).toEqual([1, 2, 4, 5]);
});

test('a version that a writer had put aside long ago stays, where it was replaced just now', async () => {
  const all = await scene();
  const { deploy, pass, sweep, setVariable, variables, s3 } = all;
  await setVariable();
  // Its writer died before the next version was there.
  const kept = s3.objects.get(s3Keys.currentVariables('shop'))!;
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: s3Keys.earlierVariables('shop', 1), Body: kept }));
  pass(10);
  await setVariable();
  await sweep();
  expect((await variables.at('shop', 1)).version).toBe(1);
  await deploy();
  pass(2);
  await sweep();
  expect(await versionsOf(all)).toEqual([2]);
});

test('where the time of a run is over before all deployments were looked at, no version goes', async () => {
  const all = await scene();
  const { deploy, pass, setVariable, deps, ports } = all;
  for (let i = 0; i < 3; i++) {
    await setVariable();
    await deploy();
  }
  pass(2);
  const { sweepVariables } = await import('../../../lambdas/task-watcher/sweepVariables.ts');
  const project = (await deps.projects.get('shop'))!;
  for (const { deploymentId } of (await ports.store.list({ owner: 'ada', limit: 9 })).items)
    await ports.store.remove(deploymentId);
  expect(await sweepVariables(deps, project, () => false)).toEqual([]);
  expect(await sweepVariables(deps, project, () => true)).toEqual([1, 2]);
});

test('of a preview whose record is gone the address of the branch goes, too', async () => {
  const { deploy, pass, sweep, ports, projects } = await scene();
  const [id, other] = [await deploy(), await deploy({ branch: 'else' })];
  const project = (await projects.get('shop'))!;
  const [own, branch, elsewhere] = [
    deploymentHost(project, id),
    branchHost(project, 'topic'),
    branchHost(project, 'else'),
  ];
  const route = (deploymentId: string) => ({ projectId: 'shop', deploymentId, noindex: true });
  await ports.sites.point([
    { host: own, route: route(id) },
    { host: branch, route: route(id) },
    { host: elsewhere, route: route(other) },
    { host: 'shop', route: route('01zz') },
  ]);
  await ports.store.remove(id);
  pass(31);
  await ports.store.remove(other);
  await sweep();
  expect((await ports.sites.listRoutes('shop')).map(({ host }) => host)).toEqual(['shop']);
});

test('the site that production shows is kept, however many releases of the backend alone have followed', async () => {
  const s = await scene();
  const site = await s.deploy({ lane: 'production', branch: 'main' });
  const release = (deploymentId: string, target: 'frontend' | 'backend') =>
    s.projects.change('shop', (project) =>
      releaseAutomatically(project, {
        ...{ releaseId: `r-${deploymentId}`, deploymentId, by: 'veren', targets: [target], at: s.clock.now() },
      }),
    );
  await release(site, 'frontend');
  for (let i = 0; i < 12; i++) {
    s.pass(0.1);
    await release(deploymentIds(s.clock)(), 'backend');
  }
  s.pass(31);
  await s.sweep();
  expect(s.has(site)).toBe(true);
  expect(await s.expired(site)).toBeUndefined();
});

test('projects without documents are adopted over several runs, and the pass goes on where the last one stopped', async () => {
  const { deps, projects, ports } = await scene();
  const names = Array.from({ length: 100 }, (_, i) => `old-${String(i).padStart(3, '0')}`);
  for (const name of names) await ports.store.claimProject(name, 'ada');
  let asked = 0;
  let ticks = 0;
  const reads = { ...projects, get: (id: string) => (asked++, projects.get(id)) };
  // Each look at the clock takes so long that a run has time for a few of them only.
  const clock = { now: () => deps.clock.now() + ticks++ * 1_000 };
  const sweep = projectSweep({ ...deps, projects: reads, clock }, { passMs: 3_600_000, runMs: 5_000 });
  const askedByRun: number[] = [];
  for (let runs = 0; runs < 12; runs++) {
    const before = asked;
    await sweep();
    askedByRun.push(asked - before);
  }
  expect(await projects.list('ada')).toEqual([...names, 'shop']);
  // A run that took longer than its function may would be ended before it says how far it has got.
  expect(Math.max(...askedByRun)).toBeLessThan(150);
});

import { QUEUES } from '../../../contract/names.ts';
import type { NextRelease } from '../../../contract/project.ts';
import { makeAnalyzedEvent, makeBuildEvent, makeRequestedEvent } from '../../../lambdas/domain/events.ts';
import { releaseOnRequest, requestRelease } from '../../../lambdas/domain/releases.ts';
import { composeReleaser } from '../../../lambdas/releaser/compose.ts';
import { lambdaServices } from '../../../lambdas/shared/adapters/aws/services/lambdaServices.ts';
import { settingChange } from '../../../lambdas/shared/projects/changeVariables.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import { openVariableStore } from '../../../lambdas/shared/projects/variableStore.ts';
import { queueSwitched } from '../../../lambdas/shared/queueRelease.ts';
import { queueReleaseStart } from '../../../lambdas/shared/services/queueService.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { testSecretBox } from '../../support/api.ts';
import { backendPlan } from '../../support/events.ts';
import { silentLog } from '../../support/log.ts';
import { memoryS3 } from '../../support/memoryS3.ts';
import { LAMBDA_SETTINGS, numberedVersion, serviceWorld } from '../../support/serviceDoubles.ts';

const of = { projectId: 'shop', owner: 'ada' };
const deploymentId = 'd1';

const opened: Awaited<ReturnType<typeof serviceWorld>>[] = [];
afterAll(async () => {
  for (const { lambda } of opened) await lambda.close();
});

/** A releaser on memory ports, with backends on doubles of Lambda. `d1` is released, with the first variables. */
async function scene() {
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
  const s3 = memoryS3();
  const storage = { s3, bucket: 'b', clock };
  const ports = await openMemoryPlatform({ clock });
  const projects = openProjectStore(storage);
  const variables = openVariableStore(storage);
  const secretBox = testSecretBox();
  const world = await serviceWorld();
  opened.push(world);
  const services = lambdaServices(world.deps, LAMBDA_SETTINGS);
  const runner = { services, secretBox, variables, bus: ports.bus };
  const releaser = composeReleaser({ ...ports, runner, s3, clock, log: silentLog }, { bucket: 'b' });
  const setGreeting = async (value: string) => {
    const change = await settingChange(secretBox, 'shop', 'ada', { env: { GREETING: value } });
    return (await variables.change('shop', change))!.version;
  };
  await projects.ensure('shop', 'ada', {});
  const version = await setGreeting('hello');
  const deployed = { ...of, deploymentId, gitUrl: 'https://h/x', ref: null };
  const requested = makeRequestedEvent(
    { ...deployed, correlationId: undefined, variables: { version } },
    'requested',
    clock.now(),
  );
  await ports.store.create({ requested, request: { projectId: 'shop', gitUrl: 'https://h/x' } });
  const build = { deploymentId, projectId: 'shop', target: 'backend' as const, attempt: 1 };
  const { artifact } = numberedVersion(1);
  const succeeded = makeBuildEvent(build, { type: 'build.succeeded', artifact, logLines: 0 }, clock.now());
  const plan = { ...backendPlan(), lane: 'production' as const, environment: 'production' as const };
  await ports.store.fold(deploymentId, [makeAnalyzedEvent(deployed, plan, clock.now()), succeeded]);
  const first = {
    releaseId: 'first',
    deploymentId,
    kind: 'promote' as const,
    by: 'ada',
    targets: ['backend' as const],
  };
  await queueSwitched(ports, { ...of, releaseId: 'first' });
  await projects.change('shop', (project) => releaseOnRequest(project, { ...first, at: clock.now() }));
  await releaser();
  const shown = async () => (await ports.sites.find('shop'))?.service?.version;
  expect(await shown()).toBe('d1-1');
  return {
    ...{ ports, projects, world, releaser, shown, s3, clock },
    /** What the API does. */
    async request(releaseId: string, value: string, isQueued = true) {
      const variables = { version: await setGreeting(value) };
      const next: NextRelease = { ...first, releaseId, variables, at: new Date().toISOString() };
      await projects.change('shop', (project) => requestRelease(project, next));
      if (isQueued) await queueReleaseStart(ports, { ...of, ...next });
    },
    versions: async () => (await services.list('shop')).map((listed) => listed.variables),
  };
}

test('a backend is released with other variables when it has answered, on Lambda too', async () => {
  const { request, releaser, shown, projects, versions, ports } = await scene();
  await request('second', 'good day');
  expect(await shown()).toBe('d1-1');
  await releaser();
  expect(await shown()).toBe('d1-2');
  const project = await projects.get('shop');
  expect(project?.release).toMatchObject({ releaseId: 'second', deploymentId, variables: { version: 2 } });
  expect(project?.nextRelease).toBeUndefined();
  expect(await versions()).toEqual([2, 1]);
  // The copy of the site follows in the same run.
  expect(await ports.queue.list(QUEUES.copy, 'waiting')).toEqual([]);
});

test('one that does not answer is not released, and says why', async () => {
  const { request, releaser, shown, projects, versions, world } = await scene();
  world.behaviours.set('d1-2', 'exits');
  await request('second', 'broken');
  await releaser();
  expect(await shown()).toBe('d1-1');
  const project = await projects.get('shop');
  expect(project?.release?.releaseId).toBe('first');
  expect(project?.nextRelease?.error).toMatchObject({
    code: 'SERVICE_EXITED',
    lastLines: expect.arrayContaining(['no database']),
  });
  expect(await versions()).toEqual([1]);
});

test('whoever asks later wins, and a release in between is not undone', async () => {
  const { request, releaser, shown, projects } = await scene();
  await request('second', 'two');
  await request('third', 'three');
  await releaser();
  expect(await shown()).toBe('d1-3');
  await request('fourth', 'four');
  // Somebody releases another deployment while the backend starts.
  await projects.change('shop', (project) =>
    releaseOnRequest(project, { releaseId: 'other', deploymentId: 'd0', kind: 'promote', by: 'eve', at: Date.now() }),
  );
  await releaser();
  expect((await projects.get('shop'))?.release?.releaseId).toBe('other');
});

test.each(['before', 'after'])('a releaser that dies %s any of its writes is completed later', async (moment) => {
  for (let dying = 1, writes = 0; writes >= dying - 1; dying++) {
    const { request, releaser, shown, projects, s3, clock } = await scene();
    await request('second', 'good day');
    writes = 0;
    const send = s3.send.bind(s3);
    s3.send = (async (command: never) => {
      const isWrite = (command as object).constructor.name === 'PutObjectCommand';
      const dies = isWrite && ++writes === dying;
      if (dies && moment === 'before') throw new Error('killed');
      const answer = await send(command);
      if (dies) throw new Error('killed');
      return answer;
    }) as typeof s3.send;
    await releaser();
    clock.ahead += 600_000;
    await releaser();
    expect([dying, await shown()]).toEqual([dying, 'd1-2']);
    expect((await projects.get('shop'))?.releases.map(({ releaseId }) => releaseId)).toEqual(['second', 'first']);
  }
});

test('a look at the project finds a start whose job was lost', async () => {
  const { request, releaser, shown, ports } = await scene();
  await request('second', 'good day', false);
  await ports.queue.enqueue(QUEUES.release, { ...of, id: 'look', data: { kind: 'look', ...of } });
  await releaser();
  await releaser();
  expect(await shown()).toBe('d1-2');
});

test('versions that no release of late has are removed', async () => {
  const { request, releaser, shown, versions } = await scene();
  for (let i = 2; i <= 14; i++) {
    await request(`r${i}`, `value ${i}`);
    await releaser();
  }
  expect(await shown()).toBe('d1-14');
  expect(await versions()).toEqual([14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 1]);
});

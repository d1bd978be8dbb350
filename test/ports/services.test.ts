import { DEFAULT_SERVICE, serviceVersionText } from '../../contract/services.ts';
import { alwaysOnServices } from '../../lambdas/shared/adapters/aws/services/alwaysOn/alwaysOnServices.ts';
import { bothKinds } from '../../lambdas/shared/adapters/aws/services/bothKinds.ts';
import { lambdaServices } from '../../lambdas/shared/adapters/aws/services/lambdaServices.ts';
import type { Services, ServiceVersion } from '../../lambdas/shared/services/servicePort.ts';
import { ALWAYS_ON_SETTINGS, alwaysOnWorld } from '../support/alwaysOnDoubles.ts';
import { removeFolders } from '../support/folders.ts';
import { LAMBDA_SETTINGS, numberedVersion, serviceWorld } from '../support/serviceDoubles.ts';
import { openServiceBench, serverOf } from '../support/services.ts';

interface Opened {
  readonly services: Services;
  /** Versions of projects, each another deployment, newer than those before. */
  readonly healthy: (of?: Partial<ServiceVersion>) => ServiceVersion;
  readonly exiting: (of?: Partial<ServiceVersion>) => ServiceVersion;
  readonly close: () => Promise<void>;
}

const adapters: Record<string, () => Promise<Opened>> = {
  laptop: async () => {
    const { services, version } = await openServiceBench();
    return {
      services,
      healthy: (of) => version(serverOf("'ok'"), of),
      exiting: (of) => version("console.log('no database'); process.exit(3)", of),
      close: () => services.close(),
    };
  },
  'Lambda, by a double of its control plane': async () => {
    const world = await serviceWorld({ busyReads: 1 });
    let number = 0;
    const healthy = (of: Partial<ServiceVersion> = {}) => numberedVersion(++number, { variables: 0, ...of });
    return {
      services: lambdaServices(world.deps, LAMBDA_SETTINGS),
      healthy,
      exiting: (of) => {
        const version = healthy(of);
        world.behaviours.set(serviceVersionText(version), 'exits');
        return version;
      },
      close: () => world.lambda.close(),
    };
  },
  'ECS, by a double of its control plane': async () => {
    const world = await alwaysOnWorld();
    let number = 0;
    const settings = { ...DEFAULT_SERVICE, kind: 'always-on' as const };
    const healthy = (of: Partial<ServiceVersion> = {}) => numberedVersion(++number, { variables: 0, settings, ...of });
    return {
      services: bothKinds(
        lambdaServices(world.deps, LAMBDA_SETTINGS),
        alwaysOnServices(world.access, ALWAYS_ON_SETTINGS),
      ),
      healthy,
      exiting: (of) => {
        const version = healthy(of);
        world.behaviours.set(serviceVersionText(version), 'exits');
        return version;
      },
      close: () => world.lambda.close(),
    };
  },
};

describe.each(Object.entries(adapters))('Services: %s', (_, open) => {
  let opened: Opened;
  let services: Services;
  beforeAll(async () => {
    opened = await open();
    services = opened.services;
  });
  afterAll(async () => {
    await opened.close();
    removeFolders();
  });

  test('a version that answers is there, and starting it again changes nothing', async () => {
    const version = opened.healthy({ projectId: 'starts' });
    const [first, second] = await Promise.all([services.start(version), services.start(version)]);
    expect(['running', 'idle']).toContain(first.state);
    expect(second.address).toBe(first.address);
    expect((await services.start(version)).address).toBe(first.address);
    expect(await services.list('starts')).toEqual([
      expect.objectContaining({ deploymentId: version.deploymentId, variables: 0, isProduction: false }),
    ]);
  }, 60_000);

  test('a version that ends leaves nothing, says what it has written, and the one before goes on', async () => {
    const before = opened.healthy({ projectId: 'ends' });
    await services.start(before);
    const broken = opened.exiting({ projectId: 'ends' });
    await expect(services.start(broken)).rejects.toMatchObject({
      failure: { code: 'SERVICE_EXITED', lastLines: expect.arrayContaining(['no database']) },
    });
    const known = await services.list('ends');
    expect(known.map(({ deploymentId }) => deploymentId)).toEqual([before.deploymentId]);
  }, 60_000);

  test('production is one version, and a switch may be repeated', async () => {
    const [one, two] = [opened.healthy({ projectId: 'switches' }), opened.healthy({ projectId: 'switches' })];
    await services.start(one);
    await services.start(two);
    for (const version of [one, two, two, one]) await services.switchProduction('switches', version);
    const shown = async () =>
      (await services.list('switches')).filter((s) => s.isProduction).map((s) => s.deploymentId);
    expect(await shown()).toEqual([one.deploymentId]);
    await services.switchProduction('switches', null);
    expect(await shown()).toEqual([]);
  }, 60_000);

  test('one deployment with two versions of the variables is two versions', async () => {
    const first = opened.healthy({ projectId: 'varies', environment: { GREETING: 'hello' } });
    const second = { ...first, variables: 2, environment: { GREETING: 'good day' } };
    await services.start(first);
    await services.start(second);
    expect((await services.list('varies')).map(({ variables }) => variables)).toEqual([2, 0]);
  }, 60_000);

  test('what is removed is gone, with all its versions, and removing it again does no harm', async () => {
    const [one, two] = [opened.healthy({ projectId: 'goes' }), opened.healthy({ projectId: 'goes' })];
    await services.start(one);
    await services.start(two);
    await services.switchProduction('goes', two);
    await services.remove('goes', one.deploymentId);
    await services.remove('goes', one.deploymentId);
    expect((await services.list('goes')).map(({ deploymentId }) => deploymentId)).toEqual([two.deploymentId]);
    await services.schedule('goes', [{ schedule: '* * * * *', path: '/tick' }]);
    await services.remove('goes');
    await services.remove('goes');
    expect(await services.list('goes')).toEqual([]);
    expect(await services.readLog('goes', { limit: 10 })).toEqual([]);
  }, 60_000);
});

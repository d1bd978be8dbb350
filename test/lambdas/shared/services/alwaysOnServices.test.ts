import { DEFAULT_SERVICE, serviceVersionText } from '../../../../contract/services.ts';
import { alwaysOnServices } from '../../../../lambdas/shared/adapters/aws/services/alwaysOn/alwaysOnServices.ts';
import { taskSize } from '../../../../lambdas/shared/adapters/aws/services/alwaysOn/taskDefinition.ts';
import { bothKinds } from '../../../../lambdas/shared/adapters/aws/services/bothKinds.ts';
import { lambdaServices } from '../../../../lambdas/shared/adapters/aws/services/lambdaServices.ts';
import { readServiceLog } from '../../../../lambdas/shared/adapters/aws/services/serviceLog.ts';
import type { ServiceFault } from '../../../../lambdas/shared/services/serviceFault.ts';
import type { ServiceVersion } from '../../../../lambdas/shared/services/servicePort.ts';
import { ALWAYS_ON_SETTINGS, alwaysOnWorld } from '../../../support/alwaysOnDoubles.ts';
import { LAMBDA_SETTINGS, numberedVersion } from '../../../support/serviceDoubles.ts';

const SETTINGS = { ...DEFAULT_SERVICE, kind: 'always-on' as const, minTasks: 2, maxTasks: 5 };
const HOUR_MS = 3_600_000;

let world: Awaited<ReturnType<typeof alwaysOnWorld>>;
beforeEach(async () => {
  world = await alwaysOnWorld();
});
afterEach(() => world.lambda.close());
const open = (access = world.access) => alwaysOnServices(access, ALWAYS_ON_SETTINGS);
const version = (n: number, more: Partial<ServiceVersion> = {}) => numberedVersion(n, { settings: SETTINGS, ...more });
const serviceOf = (name: string) => {
  const found = world.services.get(name);
  if (!found) throw new Error(`no service ${name}`);
  return found;
};
/** Everything that costs, or that somebody could reach. */
const leftovers = () =>
  [world.services, world.definitions, world.inactive, world.groups, world.targets, world.parameters].map(
    (all) => all.size,
  );

test('each version has a service, a target group and a rule for its own secret', async () => {
  const [one, two] = [await open().start(version(1)), await open().start(version(2))];
  expect([one.state, two.state]).toEqual(['running', 'running']);
  expect(one.address).toMatch(/^[0-9a-f]{64}@balancer$/);
  for (const [{ address }, name] of [[one, 'shop--d1-1'] as const, [two, 'shop--d2-1'] as const]) {
    const rule = world.rules.find((r) => r.Conditions[0]?.HttpHeaderConfig.Values[0] === address?.split('@')[0]);
    expect(rule?.Conditions[0]?.HttpHeaderConfig.HttpHeaderName).toBe('x-veren-origin');
    expect(rule?.Actions[0]?.TargetGroupArn).toBe(serviceOf(name).loadBalancers[0]?.targetGroupArn);
  }
  expect(one.address).not.toBe(two.address);
});

test('a task has its image by digest, no role, no public address, and secrets that are not in its definition', async () => {
  const environment = { MODE: 'live', API_KEY: 'k3y', EMPTY: '' };
  await open().start(version(1, { environment, secrets: ['API_KEY', 'EMPTY'] }));
  const definition = world.definitionOf(serviceOf('shop--d1-1'));
  expect(definition.taskRoleArn).toBeUndefined();
  expect(definition.containerDefinitions[0]).toMatchObject({
    image: `1.dkr.ecr.ap-south-1.amazonaws.com/my-backend@sha256:${'1'.padStart(64, '0')}`,
    environment: [
      { name: 'MODE', value: 'live' },
      { name: 'PORT', value: '3000' },
    ],
    secrets: [
      {
        name: 'API_KEY',
        valueFrom: 'arn:aws:ssm:ap-south-1:123456789012:parameter/veren/dev/services/shop/d1-1/API_KEY',
      },
    ],
    linuxParameters: { capabilities: { drop: ['ALL'] } },
    stopTimeout: 30,
  });
  expect(JSON.stringify([...world.definitions.values()])).not.toContain('k3y');
  expect(world.parameters.get('/veren/dev/services/shop/d1-1/API_KEY')).toEqual({ Value: 'k3y', Tier: 'Standard' });
  expect(serviceOf('shop--d1-1').networkConfiguration.awsvpcConfiguration).toEqual({
    subnets: ['subnet-1', 'subnet-2'],
    securityGroups: ['sg-tasks', 'sg-out-1', 'sg-out-2'],
    assignPublicIp: 'DISABLED',
  });
});

test('a version in the VPC is in the group that a database allows, in place of those for public addresses', async () => {
  await open().start(version(1, { settings: { ...SETTINGS, vpc: true } }));
  const { securityGroups } = serviceOf('shop--d1-1').networkConfiguration.awsvpcConfiguration;
  expect(securityGroups).toEqual(['sg-tasks', 'sg-attached']);
});

test('the role that gets a task its image and secrets reaches those of its project alone', async () => {
  await open().start(version(1));
  const [role] = [...world.iam.roles.values()];
  expect(role).toMatchObject({
    Path: '/veren/dev/ap-south-1/services/',
    PermissionsBoundary: ALWAYS_ON_SETTINGS.boundaryArn,
  });
  const { Statement } = JSON.parse(role?.policies.get('start-tasks') ?? '');
  expect(Statement.map((s: { Resource: string }) => s.Resource)).toEqual([
    'arn:aws:logs:ap-south-1:123456789012:log-group:/veren/dev/services/shop:*',
    '*',
    'arn:aws:ecr:ap-south-1:123456789012:repository/my-backend',
    'arn:aws:ssm:ap-south-1:123456789012:parameter/veren/dev/services/shop/*',
  ]);
  expect(Statement[1].Action).toEqual(['ecr:GetAuthorizationToken']);
});

describe('whoever dies in the middle', () => {
  class Death extends Error {}
  /** Lets this many calls to all of AWS through, and dies at the next: before it is made, or before its answer is seen. */
  function mortal(calls: number, when: 'before' | 'after') {
    let left = calls;
    const wrap = <C extends { send: unknown }>(client: C) => ({
      async send(command: unknown) {
        if (left-- > 0) return (client.send as (c: unknown) => Promise<unknown>)(command);
        if (when === 'after' && left === -1) await (client.send as (c: unknown) => Promise<unknown>)(command);
        throw new Death();
      },
    });
    const { ecs, balancer, scaling, parameters, iam, logs } = world.access;
    const wrapped = { ecs, balancer, scaling, parameters, iam, logs };
    return {
      ...world.access,
      ...Object.fromEntries(Object.entries(wrapped).map(([name, client]) => [name, wrap(client)])),
    } as typeof world.access;
  }
  const secret = { environment: { KEY: 'k' }, secrets: ['KEY'] };

  test.each(['before', 'after'] as const)('%s a call of a start: the next one completes it', async (when) => {
    for (let calls = 0; ; calls++) {
      const next = version(calls + 1, secret);
      const died = await open(mortal(calls, when))
        .start(next)
        .then(
          () => false,
          (error) => {
            expect(error).toMatchObject({ code: 'SERVICE_START_FAILED', cause: expect.any(Death) });
            return true;
          },
        );
      const { state, address } = await open().start(next);
      expect(state).toBe('running');
      const name = `shop--${serviceVersionText(next)}`;
      const rules = world.rules.filter(
        (r) => r.Actions[0]?.TargetGroupArn === serviceOf(name).loadBalancers[0]?.targetGroupArn,
      );
      expect(rules.map((r) => `${r.Conditions[0]?.HttpHeaderConfig.Values[0]}@balancer`)).toEqual([address]);
      await open().remove('shop');
      if (!died) {
        expect(calls).toBeGreaterThan(15);
        break;
      }
    }
  });

  test.each(['before', 'after'] as const)('%s a call of a removal: the next one leaves nothing', async (when) => {
    for (let calls = 0; ; calls++) {
      await open().start(version(1, secret));
      const died = await open(mortal(calls, when))
        .remove('shop')
        .then(
          () => false,
          () => true,
        );
      await open().remove('shop');
      // A definition that was deregistered, and not deleted yet, is the one thing that nobody finds again.
      world.inactive.clear();
      expect(leftovers()).toEqual([0, 0, 0, 0, 0, 0]);
      expect([world.rules.length, world.iam.roles.size]).toEqual([0, 0]);
      if (!died) {
        expect(calls).toBeGreaterThan(12);
        break;
      }
    }
  });
});

describe('production', () => {
  const TO = { deploymentId: 'd2', variables: 1 };
  beforeEach(async () => {
    await open().start(version(1));
    await open().switchProduction('shop', { deploymentId: 'd1', variables: 1 });
    await open().start(version(2));
    await open().switchProduction('shop', TO);
  });
  const wait = (ms: number) => {
    world.clock.now += ms;
    world.proceed();
  };

  test('has as many tasks as the settings say, by load, and does not rest', async () => {
    await open().switchProduction('shop', TO);
    expect(world.targets.get('shop--d2-1')).toMatchObject({ min: 2, max: 5, policy: true });
    expect((await open().list('shop')).map((s) => [s.deploymentId, s.isProduction])).toEqual([
      ['d1', false],
      ['d2', true],
    ]);
    wait(48 * HOUR_MS);
    expect(serviceOf('shop--d2-1').desiredCount).toBe(2);
  });

  test('leaves the version before running for an hour, which then rests', async () => {
    wait(HOUR_MS - 60_000);
    expect(serviceOf('shop--d1-1').desiredCount).toBe(1);
    wait(2 * 60_000);
    expect(serviceOf('shop--d1-1').desiredCount).toBe(0);
    expect((await open().list('shop')).find(({ deploymentId }) => deploymentId === 'd1')).toMatchObject({
      state: 'idle',
      reason: expect.stringContaining('rests'),
    });
  });

  test('goes back to a version that rests, which is healthy before anything is pointed at it', async () => {
    const address = `${world.rules[0]?.Conditions[0]?.HttpHeaderConfig.Values[0]}@balancer`;
    wait(2 * HOUR_MS);
    const before = world.clock.now;
    expect(await open().start(version(1))).toEqual({ state: 'running', address });
    expect(world.clock.now - before).toBeGreaterThan(15_000);
    await open().switchProduction('shop', { deploymentId: 'd1', variables: 1 });
    wait(48 * HOUR_MS);
    expect([serviceOf('shop--d1-1').desiredCount, serviceOf('shop--d2-1').desiredCount]).toEqual([2, 0]);
  });

  test('a version that rests and does not come back is the platform’s fault, and is kept', async () => {
    wait(2 * HOUR_MS);
    world.behaviours.set('d1-1', 'exits');
    await expect(open().start(version(1))).rejects.toMatchObject({ code: 'SERVICE_START_FAILED' });
    expect(world.services.has('shop--d1-1')).toBe(true);
  });

  test('shows nothing any more: all of it rests', async () => {
    await open().switchProduction('shop', null);
    wait(2 * HOUR_MS);
    expect(serviceOf('shop--d2-1').desiredCount).toBe(0);
  });
});

test('a preview rests after a day', async () => {
  await open().start(version(1));
  world.clock.now += 25 * HOUR_MS;
  world.proceed();
  expect(serviceOf('shop--d1-1').desiredCount).toBe(0);
});

describe('a version that is not healthy is not left behind, and the one before stays', () => {
  test.each([
    ['exits', 'SERVICE_EXITED', 'exit code 3'],
    ['silent', 'SERVICE_NOT_LISTENING', 'port 3000'],
    ['failing', 'SERVICE_UNHEALTHY', '[500]'],
  ] as const)('%s', async (behaviour, code, said) => {
    const { address } = await open().start(version(1));
    world.behaviours.set('d2-1', behaviour);
    const fault = (await open()
      .start(version(2))
      .catch((e) => e)) as ServiceFault;
    expect(fault.failure).toMatchObject({ code, message: expect.stringContaining(said) });
    if (behaviour === 'exits') expect(fault.failure.lastLines).toContain('no database');
    expect([...world.services.keys()]).toEqual(['shop--d1-1']);
    expect([world.rules.length, world.groups.size, world.definitions.size]).toEqual([1, 1, 1]);
    expect(await open().start(version(1))).toMatchObject({ address });
  });
});

test('a listener that is full is said to be full, and nothing that costs is left', async () => {
  await world.lambda.close();
  world = await alwaysOnWorld({ maxRules: 1 });
  await open().start(version(1));
  await expect(open().start(version(2))).rejects.toMatchObject({
    failure: { code: 'SERVICE_NO_ROOM', message: expect.stringContaining('maximum number of rules') },
  });
  expect([...world.services.keys()]).toEqual(['shop--d1-1']);
  expect([world.groups.size, world.definitions.size]).toEqual([1, 1]);
});

test('a service of this name that is still drained is tried again', async () => {
  world.draining.add('shop--d1-1');
  await expect(open().start(version(1))).rejects.toMatchObject({ code: 'SERVICE_START_FAILED' });
  expect(await open().start(version(1))).toMatchObject({ state: 'running' });
});

describe('what AWS would refuse is said in a sentence', () => {
  const refused = async (more: Partial<ServiceVersion>) => {
    const fault = (await open()
      .start(version(1, more))
      .catch((e) => e)) as ServiceFault;
    expect(leftovers()).toEqual([0, 0, 0, 0, 0, 0]);
    return fault.failure;
  };
  test('variables of more than 64 KB, a secret of more than 8 KB, a name that no shell takes', async () => {
    expect(await refused({ environment: { BIG: 'x'.repeat(65_536) } })).toMatchObject({
      code: 'SERVICE_VARIABLES_TOO_LARGE',
    });
    expect(await refused({ environment: { BIG: 'x'.repeat(8_193) }, secrets: ['BIG'] })).toMatchObject({
      code: 'SERVICE_VARIABLES_TOO_LARGE',
      message: expect.stringContaining('8193'),
    });
    expect(await refused({ environment: { 'a-b': '1' } })).toMatchObject({ code: 'SERVICE_VARIABLE_REFUSED' });
  });
  test('more than Lambda’s 4 KB is fine', async () => {
    const environment = { BIG: 'x'.repeat(20_000), KEY: 'x'.repeat(5_000) };
    expect(await open().start(version(1, { environment, secrets: ['KEY'] }))).toMatchObject({ state: 'running' });
    expect([...world.parameters.values()].map(({ Tier }) => Tier)).toEqual(['Advanced']);
  });
});

test.each([
  [128, 256, 512],
  [1_025, 256, 2_048],
  [2_049, 512, 3_072],
  [4_097, 1_024, 5_120],
  [10_240, 2_048, 10_240],
])('%i MB are a task of %i units with %i MiB', (memoryMb, cpu, memory) => {
  expect(taskSize(memoryMb)).toEqual({ cpu, memory });
});

describe('beside services that scale to zero', () => {
  const both = () => bothKinds(lambdaServices(world.deps, LAMBDA_SETTINGS), open());
  const asleep = (n: number) => numberedVersion(n);
  const CRON = [{ schedule: '0 0 * * *', path: '/' }];

  test('a version stays where it was started, whatever the settings say later', async () => {
    const [first, second] = [await both().start(asleep(1)), await both().start(version(2))];
    expect(await both().start(asleep(2))).toEqual(second);
    expect(await both().start(version(1))).toMatchObject({ address: first.address });
    expect((await both().list('shop')).map((s) => [s.deploymentId, s.state])).toEqual([
      ['d2', 'running'],
      ['d1', 'idle'],
    ]);
  });

  test('production goes from one to the other, and calls by schedule with it', async () => {
    await both().start(asleep(1));
    await both().start(version(2));
    const isProduction = async () => (await both().list('shop')).map((s) => [s.deploymentId, s.isProduction]);
    await both().switchProduction('shop', { deploymentId: 'd1', variables: 1 });
    await both().schedule('shop', CRON);
    expect(world.scheduler.schedules.size).toBe(1);
    await both().switchProduction('shop', { deploymentId: 'd2', variables: 1 });
    await both().schedule('shop', CRON);
    expect(world.scheduler.schedules.size).toBe(0);
    expect(await isProduction()).toEqual([
      ['d2', true],
      ['d1', false],
    ]);
    await both().switchProduction('shop', { deploymentId: 'd1', variables: 1 });
    expect(await isProduction()).toEqual([
      ['d2', false],
      ['d1', true],
    ]);
  });

  test('both write one log, and count together', async () => {
    await both().start(version(2));
    world.logs.groups.get('/veren/dev/services/shop')?.events.push({
      ...{ timestamp: world.clock.now, eventId: '1', message: 'hello\n' },
      logStreamName: 'd2-1/backend/0123456789abcdef',
    });
    expect(await both().readLog('shop', { limit: 10 })).toMatchObject([{ deploymentId: 'd2', line: 'hello' }]);
    // The double counts four requests of the function, and as many of the target group.
    expect(await both().counts('shop')).toMatchObject({ requests: 8, errors: 2 });
    await both().remove('shop');
    expect(world.logs.groups.size).toBe(0);
    expect(leftovers()).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('a stream that is of no task is nobody’s', async () => {
    await both().start(version(2));
    world.logs.groups.get('/veren/dev/services/shop')?.events.push({
      ...{ timestamp: world.clock.now, eventId: '1', message: 'x', logStreamName: '../d2-1/backend/x' },
    });
    const reading = { logGroupName: '/veren/dev/services/shop', deployments: new Map(), now: world.clock.now };
    expect(await readServiceLog(world.access.logs, reading, { limit: 10 })).toEqual([]);
  });
});

import type { VerenError } from '../../../../contract/errors.ts';
import { DEFAULT_SERVICE, serviceVersionText } from '../../../../contract/services.ts';
import { lambdaServices } from '../../../../lambdas/shared/adapters/aws/services/lambdaServices.ts';
import { serviceNames } from '../../../../lambdas/shared/adapters/aws/services/resourceNames.ts';
import type { ServiceFault } from '../../../../lambdas/shared/services/serviceFault.ts';
import type { ServiceVersion } from '../../../../lambdas/shared/services/servicePort.ts';
import { LAMBDA_SETTINGS, numberedVersion, serviceWorld } from '../../../support/serviceDoubles.ts';

const FUNCTION = 'veren-dev-service-shop';
const digest = (n: number) => n.toString(16).padStart(64, '0');
const version = numberedVersion;

// Hundreds of calls by HTTP, which take their time on a machine with other work.
jest.setTimeout(120_000);

let world: Awaited<ReturnType<typeof serviceWorld>>;
beforeEach(async () => {
  world = await serviceWorld();
});
afterEach(() => world.lambda.close());
const open = (deps = world.deps) => lambdaServices(deps, LAMBDA_SETTINGS);
const state = (name = FUNCTION) => {
  const found = world.lambda.functions.get(name);
  if (!found) throw new Error(`no function ${name}`);
  return found;
};
const hostOf = (address = '') => address.split('@')[1] ?? '';

test('a version has its own image, variables, address and secret; its role may write its own log alone', async () => {
  const one = await open().start(version(1));
  const two = await open().start(version(2));
  expect([one.state, two.state]).toEqual(['idle', 'idle']);
  expect(one.address).not.toBe(two.address);
  const { versions, aliases, urls } = state();
  expect([...versions.values()].map((v) => [v.CodeSha256, v.Environment.Variables.DATABASE_URL])).toEqual([
    [digest(1), 'postgres://db/1'],
    [digest(2), 'postgres://db/2'],
  ]);
  expect([...aliases.values()].map(({ Name, Description }) => [Name, Description])).toEqual([
    ['d1-1', 'healthy'],
    ['d2-1', 'healthy'],
  ]);
  expect(urls.get('d1-1')).toMatchObject({ AuthType: 'NONE', InvokeMode: 'RESPONSE_STREAM' });
  expect(world.lambda.versionAt(hostOf(one.address))?.version.Environment.Variables).toMatchObject({
    VEREN_ORIGIN_SECRET: one.address?.split('@')[0],
    AWS_LWA_INVOKE_MODE: 'response_stream',
    PORT: '3000',
  });
  const [role] = [...world.iam.roles.values()];
  expect(role).toMatchObject({
    Path: '/veren/dev/ap-south-1/services/',
    PermissionsBoundary: LAMBDA_SETTINGS.boundaryArn,
  });
  expect(JSON.parse(role?.policies.get('own-log') ?? '')).toMatchObject({
    Statement: [
      {
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: 'arn:aws:logs:ap-south-1:123456789012:log-group:/veren/dev/services/shop:*',
      },
    ],
  });
  expect(world.logs.groups.get('/veren/dev/services/shop')?.retention).toBe(30);
});

test('the image is named by its digest, and a changed variable is a version of the same image', async () => {
  await open().start(version(1));
  await open().start(version(1, { variables: 2, environment: { DATABASE_URL: 'postgres://new' } }));
  expect(state().latest.ImageUri).toBe(`1.dkr.ecr.ap-south-1.amazonaws.com/my-backend@sha256:${digest(1)}`);
  expect([...state().aliases.keys()]).toEqual(['d1-1', 'd1-2']);
});

test('a version in the VPC is in the group of services, and the next one without it is outside again', async () => {
  const attached = { ...DEFAULT_SERVICE, vpc: true };
  await open().start(version(1));
  await open().start(version(2, { settings: attached }));
  await open().start(version(3, { variables: 7 }));
  expect([...state().versions.values()].map(({ VpcConfig }) => VpcConfig)).toEqual([
    { SubnetIds: [], SecurityGroupIds: [] },
    { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-attached'] },
    { SubnetIds: [], SecurityGroupIds: [] },
  ]);
  const [role] = [...world.iam.roles.values()];
  expect([...(role?.policies.keys() ?? [])]).toEqual(['own-log', 'in-vpc']);
  expect(JSON.parse(role?.policies.get('in-vpc') ?? '').Statement).toEqual([
    expect.objectContaining({ Action: expect.arrayContaining(['ec2:CreateNetworkInterface']) }),
  ]);
  await open().remove('shop');
  expect(world.iam.roles.size).toBe(0);
});

test('a version that was healthy is not checked again', async () => {
  const { address } = await open().start(version(1));
  const before = world.asked.length;
  world.behaviours.set('d1-1', 'failing');
  expect(await open().start(version(1))).toMatchObject({ address });
  expect(world.asked).toHaveLength(before);
  expect(state().versions.size).toBe(1);
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
    const { lambda, iam, logs } = world.deps;
    return { ...world.deps, lambda: wrap(lambda), iam: wrap(iam), logs: wrap(logs) } as typeof world.deps;
  }
  test.each(['before', 'after'] as const)('%s a call: the next start completes it', async (when) => {
    await open().start(version(1));
    let deaths = 0;
    for (let calls = 0; ; calls++) {
      const next = version(calls + 2);
      const text = serviceVersionText(next);
      const died = await open(mortal(calls, when))
        .start(next)
        .then(
          () => false,
          () => true,
        );
      const { state: shown, address } = await open().start(next);
      expect(shown).toBe('idle');
      const found = world.lambda.versionAt(hostOf(address));
      expect(found?.version).toMatchObject({ CodeSha256: digest(calls + 2), Description: text });
      expect(found?.policy).toHaveLength(2);
      const own = [...state().versions.values()].filter(({ Description }) => Description === text);
      expect(own).toHaveLength(1);
      if (!died) break;
      deaths++;
    }
    expect(deaths).toBeGreaterThan(15);
    expect(state().versions.get('1')?.CodeSha256).toBe(digest(1));
  });
});

test('deployments that start at the same moment get their own images and variables', async () => {
  const numbers = [1, 2, 3, 4, 5, 6];
  const started = await Promise.all(numbers.map((n) => open().start(version(n))));
  started.forEach(({ address }, i) => {
    expect(world.lambda.versionAt(hostOf(address))?.version).toMatchObject({
      CodeSha256: digest(i + 1),
      Environment: { Variables: { DATABASE_URL: `postgres://db/${i + 1}`, VEREN_VERSION: `d${i + 1}-1` } },
    });
  });
});

test('two releasers start the same version', async () => {
  const [a, b] = await Promise.all([open().start(version(1)), open().start(version(1))]);
  const found = world.lambda.versionAt(hostOf(a.address))?.version;
  expect(found?.Description).toBe('d1-1');
  expect(a.address).toBe(b.address);
  expect(found?.Environment.Variables.VEREN_ORIGIN_SECRET).toBe(a.address?.split('@')[0]);
});

test('a role that is not known everywhere yet, and throttling, pass', async () => {
  world.lambda.broken.role = 2;
  world.lambda.throttle(1);
  expect(await open().start(version(1))).toMatchObject({ state: 'idle' });
});

test('an outage is the platform’s fault, and the next start goes on', async () => {
  world.lambda.throttle(4);
  await expect(open().start(version(1))).rejects.toMatchObject({ code: 'SERVICE_START_FAILED' });
  world.lambda.faults.length = 0;
  expect(await open().start(version(1))).toMatchObject({ state: 'idle' });
});

test('a role of this name that somebody else has made is not used', async () => {
  const RoleName = serviceNames('dev', 'ap-south-1').roleName('shop');
  world.iam.roles.set(RoleName, { RoleName, Path: '/', policies: new Map() });
  await expect(open().start(version(1))).rejects.toMatchObject({ code: 'SERVICE_START_FAILED' });
  expect(world.lambda.functions.size).toBe(0);
});

describe('a version that is not healthy is not left behind, and the one before stays', () => {
  test.each([
    ['exits', 'SERVICE_EXITED', 'exit status 1'],
    ['silent', 'SERVICE_NOT_LISTENING', 'port 3000'],
    ['failing', 'SERVICE_UNHEALTHY', 'it answered 500'],
  ] as const)('%s', async (behaviour, code, said) => {
    const { address } = await open().start(version(1));
    world.behaviours.set('d2-1', behaviour);
    const fault = (await open()
      .start(version(2))
      .catch((e) => e)) as ServiceFault;
    expect(fault.failure).toMatchObject({ code, message: expect.stringContaining(said) });
    if (behaviour === 'exits') expect(fault.failure.lastLines).toContain('no database');
    expect([...state().aliases.keys()]).toEqual(['d1-1']);
    expect([...state().versions.keys()]).toEqual(['1']);
    expect([...state().urls.keys()]).toEqual(['d1-1']);
    expect(await open().start(version(1))).toMatchObject({ address });
  });
});

describe('what Lambda would refuse is said in a sentence, and nothing is made', () => {
  const refused = async (more: Partial<ServiceVersion>) => {
    const fault = (await open()
      .start(version(1, more))
      .catch((e) => e)) as ServiceFault;
    expect(world.lambda.functions.size).toBe(0);
    return fault.failure;
  };
  test('more than 4 KB of variables, by a byte', async () => {
    const fits = 'x'.repeat(3_700);
    await expect(refused({ environment: { BIG: 'x'.repeat(4_096) } })).resolves.toMatchObject({
      code: 'SERVICE_VARIABLES_TOO_LARGE',
      message: expect.stringContaining('4096'),
    });
    expect(await open().start(version(1, { environment: { BIG: fits } }))).toMatchObject({ state: 'idle' });
  });
  test.each(['AWS_ACCESS_KEY_ID', 'AWS_LAMBDA_EXEC_WRAPPER', 'AWS_LWA_PORT', '_X', 'A', 'a-b', '_HANDLER'])(
    'a variable called %s',
    async (name) => {
      expect(await refused({ environment: { [name]: '1' } })).toMatchObject({
        code: 'SERVICE_VARIABLE_REFUSED',
        message: expect.stringContaining(name),
      });
    },
  );
  test('an image of more than 10 GB', async () => {
    const { artifact } = version(1);
    const large = { ...artifact, bytes: 10 * 1_024 ** 3 + 1 } as ServiceVersion['artifact'];
    expect(await refused({ artifact: large })).toMatchObject({ code: 'SERVICE_TOO_LARGE' });
  });
  test('services that are always on, where the stage runs none, are not run at all', async () => {
    const settings = { ...DEFAULT_SERVICE, kind: 'always-on' as const };
    expect(await open().start(version(1, { settings }))).toMatchObject({
      state: 'not-run',
      reason: expect.stringMatching(/always on.*services\.alwaysOn\.enabled/),
    });
    expect(world.lambda.functions.size).toBe(0);
  });
});

test('a version that Lambda has put to sleep is woken before anything is pointed at it', async () => {
  const { address } = await open().start(version(1));
  await open().start(version(2));
  const old = state().versions.get('1');
  if (old) old.state = 'Inactive';
  expect(await open().start(version(1))).toEqual({ state: 'idle', address });
  expect(state().versions.get('1')?.state).toBe('Active');
});

test('an image that is gone is said to be gone', async () => {
  await open().start(version(1));
  const old = state().versions.get('1');
  if (old)
    Object.assign(old, {
      state: 'Failed',
      reason: { StateReasonCode: 'ImageDeleted', StateReason: 'The image does not exist' },
    });
  await expect(open().start(version(1))).rejects.toMatchObject({
    code: 'SERVICE_START_FAILED',
    message: expect.stringContaining('The image does not exist'),
  } satisfies Partial<Record<keyof VerenError, unknown>>);
});

test('an update of $LATEST that failed does not stop the next deployment', async () => {
  await open().start(version(1));
  state().lastFault = { LastUpdateStatusReasonCode: 'InvalidImage', LastUpdateStatusReason: 'broken' };
  expect(await open().start(version(2))).toMatchObject({ state: 'idle' });
});

test('calls by schedule follow production', async () => {
  const services = open();
  await services.start(version(1));
  await services.start(version(2));
  await services.switchProduction('shop', { deploymentId: 'd1', variables: 1 });
  await services.switchProduction('shop', { deploymentId: 'd2', variables: 1 });
  expect(state().aliases.get('production')?.FunctionVersion).toBe('2');
  expect((await services.list('shop')).map((s) => [s.deploymentId, s.state, s.isProduction])).toEqual([
    ['d2', 'idle', true],
    ['d1', 'idle', false],
  ]);
  await services.schedule('shop', [
    { schedule: '*/5 * * * *', path: '/tick?a=1' },
    { schedule: '0 6 1 * 1', path: '/monday-or-first' },
  ]);
  const written = [...world.scheduler.schedules.values()] as {
    ScheduleExpression: string;
    Target: { Arn: string; Input: string };
  }[];
  expect(written.map(({ ScheduleExpression }) => ScheduleExpression)).toEqual([
    'cron(*/5 * * * ? *)',
    'cron(0 6 1 * ? *)',
    'cron(0 6 ? * MON *)',
  ]);
  expect(written[0]?.Target.Arn).toBe(`arn:aws:lambda:ap-south-1:123456789012:function:${FUNCTION}:production`);
  expect(JSON.parse(written[0]?.Target.Input ?? '')).toMatchObject({
    rawPath: '/tick',
    rawQueryString: 'a=1',
    headers: { 'x-veren-cron': 'true' },
    requestContext: { apiId: 'veren-cron', http: { method: 'POST' } },
  });
  await services.schedule('shop', [{ schedule: '0 0 * * 0', path: '/' }]);
  expect([...world.scheduler.schedules.values()].map((s) => s.ScheduleExpression)).toEqual(['cron(0 0 ? * SUN *)']);
  await services.switchProduction('shop', null);
  expect(state().aliases.has('production')).toBe(false);
});

describe('removal', () => {
  test('of a deployment: every version of it, and no other', async () => {
    const services = open();
    for (const one of [version(1), version(1, { variables: 2 }), version(2)]) await services.start(one);
    await services.remove('shop', 'd1');
    await services.remove('shop', 'd1');
    expect([...state().aliases.keys()]).toEqual(['d2-1']);
    expect([...state().urls.keys()]).toEqual(['d2-1']);
    expect([...state().versions.values()].map(({ Description }) => Description)).toEqual(['d2-1']);
  });
  test('of one among more than a page of them', async () => {
    const services = open();
    for (let n = 1; n <= 2; n++) await services.start(version(n));
    const [first, alias] = [state().versions.get('1'), state().aliases.get('d1-1')];
    // What 198 further deployments leave.
    for (let n = 3; n <= 200; n++) {
      if (first) state().versions.set(`${n}`, { ...first, Description: `d${n}-1` });
      if (alias) state().aliases.set(`d${n}-1`, { ...alias, Name: `d${n}-1`, FunctionVersion: `${n}` });
    }
    state().published = 200;
    expect(await services.list('shop')).toHaveLength(200);
    await services.remove('shop', 'd200');
    expect([state().versions.has('200'), state().versions.size, state().aliases.size]).toEqual([false, 199, 199]);
  });
  test('of a project, with whatever a project of a like name has staying', async () => {
    const services = open();
    await services.start(version(1));
    await services.start(version(1, { projectId: 'shop-2' }));
    await services.schedule('shop', [{ schedule: '0 0 * * *', path: '/' }]);
    await services.schedule('shop-2', [{ schedule: '0 0 * * *', path: '/' }]);
    for (let i = 0; i < 2; i++) await services.remove('shop');
    expect([...world.lambda.functions.keys()]).toEqual(['veren-dev-service-shop-2']);
    expect([...world.iam.roles.keys()]).toEqual(['veren-dev-ap-south-1-svc-shop-2']);
    expect([...world.logs.groups.keys()]).toEqual(['/veren/dev/services/shop-2']);
    expect([...world.scheduler.schedules.keys()]).toEqual(['shop-2--0']);
    expect(await services.list('shop')).toEqual([]);
    expect(await services.readLog('shop', { limit: 10 })).toEqual([]);
  });
});

test('names of long projects are shortened, and no other project can have that name', () => {
  const names = serviceNames('prod', 'ap-southeast-1');
  const long = 'a'.repeat(63);
  for (const name of [names.functionName(long), names.roleName(long), `${names.schedulePrefix(long)}--19`]) {
    expect(name.length).toBeLessThanOrEqual(64);
  }
  expect(names.functionName(long)).not.toBe(names.functionName(`${'a'.repeat(62)}b`));
  // Ids of projects have no `--`.
  expect(names.functionName(long).slice('veren-prod-service-'.length)).toContain('--');
});

describe('the log', () => {
  beforeEach(async () => {
    await open().start(version(1));
    await open().start(version(2));
    for (let i = 0; i < 8; i++) {
      world.clock.now += 1_000;
      world.write(i % 2 ? '2' : '1', i === 7 ? 'REPORT RequestId: 1 Init Duration: 3 ms\n' : `line ${i}\n`);
    }
    world.write('99', 'of a version that is gone\n');
  });
  const lines = async (query: object) =>
    (await open().readLog('shop', { limit: 100, ...query })).map(({ line, deploymentId }) => `${deploymentId} ${line}`);
  test('lines are those of deployments, oldest first; filters hold', async () => {
    expect(await lines({ limit: 2 })).toEqual(['d1 line 6', 'd2 REPORT RequestId: 1 Init Duration: 3 ms']);
    expect(await lines({ deployment: 'd1' })).toEqual(['d1 line 0', 'd1 line 2', 'd1 line 4', 'd1 line 6']);
    expect(await lines({ stream: 'system' })).toHaveLength(1);
    expect(await lines({ since: new Date(world.clock.now - 1_500).toISOString() })).toHaveLength(2);
  });
  test('whoever continues after a line misses and repeats none', async () => {
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await open().readLog('shop', { limit: 3, after: after ?? '0-' });
      if (page.length === 0) break;
      seen.push(...page.map(({ line }) => line));
      after = page.at(-1)?.seq;
    }
    expect(seen).toHaveLength(8);
    expect(new Set(seen).size).toBe(8);
  });
  test('numbers of the last day', async () => {
    expect(await open().counts('shop')).toMatchObject({
      ...{ requests: 4, errors: 1, coldStarts: 1 },
      durationMs: { mean: 25, max: 60 },
    });
  });
});

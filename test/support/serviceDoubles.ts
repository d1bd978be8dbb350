import { DEFAULT_SERVICE } from '../../contract/services.ts';
import type { LambdaServicesDeps } from '../../lambdas/shared/adapters/aws/services/lambdaServices.ts';
import type { ServiceVersion } from '../../lambdas/shared/services/servicePort.ts';
import { lambdaDouble } from './lambdaDouble.ts';

type Send = (command: { readonly constructor: { readonly name: string }; readonly input: unknown }) => Promise<unknown>;
export type Calls = Record<string, (input: never) => unknown>;

/** An SDK client that knows these calls and throws on every other. */
export const clientOf = (calls: Calls): { send: never } => {
  const send: Send = async (command) => {
    const call = calls[command.constructor.name];
    if (!call) throw new Error(`the double does not know ${command.constructor.name}`);
    return call(command.input as never);
  };
  return { send: send as never };
};

export const fault = (name: string, message = name) => Object.assign(new Error(message), { name });

interface Role {
  RoleName: string;
  Path: string;
  PermissionsBoundary?: string;
  policies: Map<string, string>;
}

/** IAM: names are the account's, whatever the path. */
function iamDouble() {
  const roles = new Map<string, Role>();
  const find = ({ RoleName }: { RoleName: string }) => {
    const role = roles.get(RoleName);
    if (!role) throw fault('NoSuchEntityException');
    return role;
  };
  const view = (role: Role) => ({
    ...role,
    Arn: `arn:aws:iam::123456789012:role${role.Path}${role.RoleName}`,
    PermissionsBoundary: { PermissionsBoundaryArn: role.PermissionsBoundary },
  });
  const calls: Calls = {
    CreateRoleCommand(input: Role) {
      if (roles.has(input.RoleName)) throw fault('EntityAlreadyExistsException');
      if (input.RoleName.length > 64) throw fault('ValidationError');
      const role = { ...input, policies: new Map<string, string>() };
      roles.set(input.RoleName, role);
      return { Role: view(role) };
    },
    GetRoleCommand: (input: Role) => ({ Role: view(find(input)) }),
    PutRolePolicyCommand(input: Role & { PolicyName: string; PolicyDocument: string }) {
      find(input).policies.set(input.PolicyName, input.PolicyDocument);
    },
    DeleteRolePolicyCommand(input: Role & { PolicyName: string }) {
      if (!find(input).policies.delete(input.PolicyName)) throw fault('NoSuchEntityException');
    },
    DeleteRoleCommand(input: Role) {
      if (find(input).policies.size > 0) throw fault('DeleteConflictException');
      roles.delete(input.RoleName);
    },
  };
  return { roles, client: clientOf(calls) };
}

interface LogEvent {
  timestamp: number;
  eventId: string;
  message: string;
  logStreamName: string;
}

/** Lambda looks whether the role of a function may make interfaces, when the function is put into a VPC. */
const mayAttach = (roles: ReadonlyMap<string, Role>, arn: string): boolean =>
  [...roles.values()]
    .filter(({ RoleName }) => arn.endsWith(`/${RoleName}`))
    .some(({ policies }) => [...policies.values()].some((text) => text.includes('ec2:CreateNetworkInterface')));

/** CloudWatch Logs, with pages of three events. */
function logsDouble() {
  const groups = new Map<string, { retention?: number; events: LogEvent[] }>();
  const find = (name: string) => {
    const group = groups.get(name);
    if (!group) throw fault('ResourceNotFoundException');
    return group;
  };
  const calls: Calls = {
    CreateLogGroupCommand({ logGroupName: name }: { logGroupName: string }) {
      if (groups.has(name)) throw fault('ResourceAlreadyExistsException');
      groups.set(name, { events: [] });
    },
    PutRetentionPolicyCommand(input: { logGroupName: string; retentionInDays: number }) {
      find(input.logGroupName).retention = input.retentionInDays;
    },
    DeleteLogGroupCommand({ logGroupName: name }: { logGroupName: string }) {
      find(name);
      groups.delete(name);
    },
    FilterLogEventsCommand(input: {
      logGroupName: string;
      startTime: number;
      nextToken?: string;
      filterPattern?: string;
    }) {
      const words = [...(input.filterPattern ?? '').matchAll(/"([^"]+)"/g)].map(([, word = '']) => word);
      const events = find(input.logGroupName).events.filter(
        ({ timestamp, message }) =>
          timestamp >= input.startTime && words.every((word: string) => message.includes(word)),
      );
      const at = Number(input.nextToken ?? 0);
      const nextToken = at + 3 < events.length ? String(at + 3) : undefined;
      return { events: events.slice(at, at + 3), ...(nextToken && { nextToken }) };
    },
  };
  return { groups, client: clientOf(calls) };
}

/** EventBridge Scheduler. */
function schedulerDouble() {
  const schedules = new Map<string, Record<string, unknown>>();
  const calls: Calls = {
    CreateScheduleCommand(input: { Name: string; ScheduleExpression: string }) {
      if (schedules.has(input.Name)) throw fault('ConflictException');
      if (!/^[0-9a-zA-Z-_.]{1,64}$/.test(input.Name)) throw fault('ValidationException', 'Name');
      checkExpression(input.ScheduleExpression);
      schedules.set(input.Name, input);
    },
    UpdateScheduleCommand(input: { Name: string; ScheduleExpression: string }) {
      if (!schedules.has(input.Name)) throw fault('ResourceNotFoundException');
      checkExpression(input.ScheduleExpression);
      schedules.set(input.Name, input);
    },
    DeleteScheduleCommand({ Name }: { Name: string }) {
      if (!schedules.delete(Name)) throw fault('ResourceNotFoundException');
    },
    ListSchedulesCommand: ({ NamePrefix }: { NamePrefix: string }) => ({
      Schedules: [...schedules.keys()].filter((name) => name.startsWith(NamePrefix)).map((Name) => ({ Name })),
    }),
  };
  return { schedules, client: clientOf(calls) };
}

/** Exactly one of the two days has to be `?`, and days of the week are 1 to 7 or names. */
function checkExpression(expression: string): void {
  const [, , , day, , weekday] = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/.exec(expression) ?? [];
  const isValid = day !== undefined && weekday !== undefined && (day === '?') !== (weekday === '?');
  if (!isValid || /(^|[,-])[08]/.test(weekday)) throw fault('ValidationException', expression);
}

export type Behaviour = 'healthy' | 'exits' | 'silent' | 'failing';

export const LAMBDA_SETTINGS = {
  ...{ stage: 'dev', region: 'ap-south-1', account: '123456789012', partition: 'aws', logRetentionDays: 30 },
  boundaryArn: 'arn:aws:iam::123456789012:policy/boundary',
  schedulerRoleArn: 'arn:aws:iam::123456789012:role/scheduler',
  network: { subnetIds: ['subnet-1', 'subnet-2'], groupIds: ['sg-attached'] },
};

const digestOf = (n: number) => n.toString(16).padStart(64, '0');

/** A version of project `shop`; its image and variables have its number. */
export const numberedVersion = (n: number, more: Partial<ServiceVersion> = {}): ServiceVersion => ({
  ...{ projectId: 'shop', owner: 'ann', deploymentId: `d${n}`, variables: 1, port: 3_000 },
  artifact: {
    kind: 'image',
    uri: `1.dkr.ecr.ap-south-1.amazonaws.com/my-backend:shop-d${n}`,
    digest: `sha256:${digestOf(n)}`,
    bytes: 1_000,
  },
  settings: DEFAULT_SERVICE,
  secrets: [],
  environment: { DATABASE_URL: `postgres://db/${n}` },
  ...more,
});

/** Everything that backends on Lambda need, with services that behave as they are told. */
export async function serviceWorld(options: { busyReads?: number } = {}) {
  const lambda = await lambdaDouble({ ...options, mayAttach: (role) => mayAttach(iam.roles, role) });
  const [iam, logs, scheduler] = [iamDouble(), logsDouble(), schedulerDouble()];
  const clock = { now: Date.parse('2026-11-28T12:00:00Z') };
  const behaviours = new Map<string, Behaviour>();
  const asked: string[] = [];
  const write = (number: string, message: string, project = 'shop') => {
    const events = logs.groups.get(`/veren/dev/services/${project}`)?.events;
    events?.push({
      timestamp: clock.now,
      eventId: String(events.length).padStart(8, '0'),
      message,
      logStreamName: `2026/11/28/veren-dev-service-${project}[${number}]0123abcd`,
    });
  };

  /** The adapter and the service behind it. */
  const fetchUrl = (async (url: string, { headers }: { headers: Record<string, string> }) => {
    const { host, pathname } = new URL(url);
    const found = lambda.versionAt(host);
    const allowed = found?.policy.map(({ Action }) => Action) ?? [];
    if (!found || !allowed.includes('lambda:InvokeFunctionUrl') || !allowed.includes('lambda:InvokeFunction'))
      return new Response('', { status: 403 });
    const { version, number } = found;
    if (version.state === 'Inactive') {
      version.state = 'Pending';
      return new Response('', { status: 502 });
    }
    const variables = version.Environment.Variables;
    if (headers['x-veren-origin'] !== variables.VEREN_ORIGIN_SECRET) return new Response('', { status: 403 });
    asked.push(`${variables.VEREN_VERSION} ${pathname}`);
    const behaviour = behaviours.get(`${variables.VEREN_VERSION}`) ?? 'healthy';
    const project = `${version.LoggingConfig?.LogGroup}`.split('/').pop();
    if (behaviour === 'healthy') return new Response('ok', { status: 200 });
    if (behaviour === 'exits') write(number, 'no database\n', project);
    if (behaviour === 'exits') write(number, 'RequestId: 1 Error: Runtime exited with error: exit status 1\n', project);
    if (behaviour === 'silent') write(number, '{"message":"app is not ready after 2000ms"}\n', project);
    return new Response('', { status: behaviour === 'failing' ? 500 : 502 });
  }) as unknown as typeof fetch;

  const deps: LambdaServicesDeps = {
    lambda: lambda.client,
    iam: iam.client,
    logs: logs.client,
    scheduler: scheduler.client,
    metrics: clientOf({
      GetMetricDataCommand: () => ({
        MetricDataResults: [
          { Id: 'requests', Values: [3, 1] },
          { Id: 'errors', Values: [1] },
          { Id: 'time', Values: [90, 10] },
          { Id: 'longest', Values: [60, 10] },
        ],
      }),
    }),
    fetchUrl,
    now: () => clock.now,
    sleep: async (ms) => {
      clock.now += ms;
    },
  };
  return { lambda, iam, logs, scheduler, clock, behaviours, asked, write, deps };
}

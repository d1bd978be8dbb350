import { BUILDERS } from '../../../contract/builders.ts';
import { FunctionEnvSchemas, type FunctionName } from '../../../contract/function-env.ts';
import {
  pointsAt,
  type Resource,
  resourcesOf,
  STACKS,
  type StackId,
  type Synthesized,
  type Templates,
} from './synth.ts';

/**
 * What a mistake would hurt, as functions from templates to sentences. They run over the real templates, where they must
 * find nothing, and over copies with deliberate mistakes, where they must find those.
 */
export type Check = (synthesized: Synthesized) => string[];

interface Statement {
  readonly Sid?: string;
  readonly where: string;
  readonly stack: StackId;
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: readonly unknown[];
  readonly Condition?: Record<string, unknown>;
  readonly Principal?: unknown;
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];

/** Every statement of every identity policy, inline policies of roles included. */
export function statements(templates: Templates): Statement[] {
  const of = (stack: StackId, where: string, document: { Statement: Omit<Statement, 'where' | 'stack'>[] }) =>
    document.Statement.map((s) => ({ ...s, where, stack, Action: list(s.Action), Resource: list(s.Resource) }));
  return [
    ...['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
      resourcesOf(templates, type).flatMap((r) => of(r.stack, `${r.stack}.${r.id}`, r.properties.PolicyDocument)),
    ),
    ...resourcesOf(templates, 'AWS::IAM::Role').flatMap((r) =>
      list(r.properties.Policies).flatMap((p) => of(r.stack, `${r.stack}.${r.id}`, p.PolicyDocument)),
    ),
  ];
}

/** Statements of the policies that are attached to a function's role. */
export function functionStatements(templates: Templates, name: string): Statement[] {
  const fn = functionNamed(templates, name);
  if (!fn) return [];
  const role = fn.resource.Properties.Role['Fn::GetAtt'][0];
  const policies = resourcesOf(templates, 'AWS::IAM::Policy')
    .filter((p) => p.stack === fn.stack && list<{ Ref?: string }>(p.properties.Roles).some((r) => r.Ref === role))
    .map((p) => `${p.stack}.${p.id}`);
  return statements(templates).filter((s) => policies.includes(s.where));
}

export function functionNamed(templates: Templates, name: string) {
  return resourcesOf(templates, 'AWS::Lambda::Function').find((f) =>
    new RegExp(`^veren-[a-z]+-${name}$`).test(f.properties.FunctionName ?? ''),
  );
}

/** The names that matter per builder: family, container, repository, cluster. */
const builderNames: Check = ({ templates }) => {
  const tasks = resourcesOf(templates, 'AWS::ECS::TaskDefinition').map((t) => t.properties);
  const clusters = resourcesOf(templates, 'AWS::ECS::Cluster').map((c) => c.properties.ClusterName);
  const repositories = resourcesOf(templates, 'AWS::ECR::Repository');
  return BUILDERS.flatMap((builder) => {
    const found: string[] = [];
    const task = tasks.find((t) => t.Family === builder.family);
    if (!clusters.includes(builder.cluster)) found.push(`no cluster ${builder.cluster}`);
    if (!task) return [...found, `no task definition ${builder.family}`];
    const containers = task.ContainerDefinitions.map((c: { Name: string }) => c.Name);
    const wanted = [builder.container, ...('isolated' in builder ? [builder.isolated.container] : [])];
    if (containers.join() !== wanted.join())
      found.push(`${builder.family} has containers ${containers}, not ${wanted}`);
    const image = JSON.stringify(task.ContainerDefinitions[0].Image);
    const repository = repositories.find((r) => r.properties.RepositoryName === builder.repository);
    if (!repository) found.push(`no repository ${builder.repository}`);
    else if (!image.includes(`/${builder.repository}:`))
      found.push(`${builder.family} does not run the image of ${builder.repository}: ${image}`);
    return found;
  });
};

/** What builds a repository's own Dockerfile has nothing of the container beside it, and cannot reach it. */
const isolatedContainers: Check = ({ templates }) =>
  BUILDERS.flatMap((builder) => {
    if (!('isolated' in builder)) return [];
    const task = resourcesOf(templates, 'AWS::ECS::TaskDefinition').find((t) => t.properties.Family === builder.family);
    const [trusted, isolated] = task?.properties.ContainerDefinitions ?? [];
    if (!isolated || isolated.Name !== builder.isolated.container)
      return [`${builder.family} has no isolated container`];
    const found: string[] = [];
    for (const shared of ['PidMode', 'IpcMode', 'TaskRoleArn'])
      if (shared in task!.properties) found.push(`${builder.family} shares its processes or rights: ${shared}`);
    for (const given of ['Environment', 'Secrets', 'EnvironmentFiles', 'LogConfiguration', 'DependsOn', 'VolumesFrom'])
      if (given in isolated) found.push(`${isolated.Name} is given something: ${given}`);
    const dropped: string[] = isolated.LinuxParameters?.Capabilities?.Drop ?? [];
    for (const name of ['NET_RAW', 'MKNOD', 'SYS_CHROOT'])
      if (!dropped.includes(name)) found.push(`${isolated.Name} keeps ${name}`);
    if (isolated.LinuxParameters?.Capabilities?.Add) found.push(`${isolated.Name} has more capabilities than others`);
    const mounts = isolated.MountPoints as { ReadOnly?: boolean; ContainerPath: string }[];
    if (mounts.length !== 1 || !mounts.every((m) => m.ReadOnly === true))
      found.push(`${isolated.Name} can write the channel`);
    if (trusted.MountPoints[0].ContainerPath !== mounts[0]?.ContainerPath) found.push('the channel has two places');
    if (isolated.Essential !== false || trusted.Essential !== true) found.push(`${isolated.Name} ends the task`);
    if (!(isolated.Memory < Number(task!.properties.Memory))) found.push(`${isolated.Name} may use all of the memory`);
    if (JSON.stringify(isolated.Image) !== JSON.stringify(trusted.Image)) found.push('the containers have two images');
    return found;
  });

/** A task role is a credential endpoint inside the container. */
const noTaskRole: Check = ({ templates }) =>
  resourcesOf(templates, 'AWS::ECS::TaskDefinition')
    .filter((t) => 'TaskRoleArn' in t.properties)
    .map((t) => `${t.properties.Family} has a task role`);

/** Cluster, task and container of every builder reach build-worker under the right names. */
const workerVariables: Check = ({ templates }) => {
  const worker = functionNamed(templates, 'build-worker');
  if (!worker) return ['no build-worker'];
  const variables = worker.properties.Environment.Variables;
  return BUILDERS.flatMap((builder) => {
    const expected: Record<string, string> = {
      [builder.env.cluster]: builder.cluster,
      [builder.env.task]: builder.family,
      [builder.env.container]: builder.container,
    };
    return Object.entries(expected)
      .filter(([name, value]) => pointsAt(templates, 'Pipeline', variables[name] ?? 'nothing') !== value)
      .map(
        ([name, value]) => `${name} is ${pointsAt(templates, 'Pipeline', variables[name] ?? 'nothing')}, not ${value}`,
      );
  });
};

/** Every function has each variable that its handler will ask for, and none that the contract does not name. */
const functionVariables: Check = ({ templates }) =>
  (Object.keys(FunctionEnvSchemas) as FunctionName[]).flatMap((name) => {
    const fn = functionNamed(templates, name);
    // Some stages have no own Kafka or sites, and not the functions that go with them.
    if (!fn) return ['kafka-topics', 'site-fallback', 'dashboard-files'].includes(name) ? [] : [`no function ${name}`];
    const { NODE_OPTIONS: _, ...variables } = fn.properties.Environment.Variables;
    const text = Object.fromEntries(Object.entries(variables).map(([k, v]) => [k, pointsAt(templates, fn.stack, v)]));
    const parsed = FunctionEnvSchemas[name].safeParse(text);
    const faults = parsed.success ? [] : parsed.error.issues.map((i) => `${name}: ${i.path.join('.')} ${i.message}`);
    const unknown = Object.keys(text).filter((k) => !(k in FunctionEnvSchemas[name].shape));
    return [...faults, ...unknown.map((k) => `${name} is given ${k}, which it does not read`)];
  });

/** Actions that AWS gives for all resources or not at all. Source: service authorization reference. */
const WITHOUT_RESOURCE = [
  'ecr:GetAuthorizationToken',
  /^ec2:(Create|Delete|Describe)NetworkInterfaces?$/,
  'ec2:DescribeSubnets',
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeVpcs',
  /^ec2:Describe(Instances|Snapshots|Volumes)$/,
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** No `*` where an ARN is possible, and no action with a `*` in it but CDK's own on the bucket of deployment assets. */
const noWildcards: Check = ({ templates }) =>
  statements(templates)
    .filter((s) => s.Effect === 'Allow')
    .flatMap((s) => {
      const found: string[] = [];
      const starred = s.Resource.some((r) => r === '*' || /^arn:[^:]*:\*|:\*:\*:/.test(String(r)));
      // ListTasks knows no ARNs on Fargate; it must be held to clusters by its condition.
      const heldToCluster = JSON.stringify(s.Condition ?? {}).includes('"ecs:cluster"');
      const onCluster = s.Action.every((a) => a === 'ecs:ListTasks') && heldToCluster;
      const bad = onCluster
        ? []
        : s.Action.filter((a) => !WITHOUT_RESOURCE.some((w) => (typeof w === 'string' ? w === a : w.test(a))));
      if (starred && bad.length > 0) found.push(`${s.where} allows ${bad.join(', ')} on *`);
      const assets = s.Resource.every((r) => JSON.stringify(r).includes('-assets-'));
      const wide = s.Action.filter((a) => a.includes('*'));
      if (wide.length > 0 && !assets) found.push(`${s.where} allows ${wide.join(', ')}`);
      return found;
    });

/** Buckets: nothing public, TLS only, encrypted. */
const bucketsPrivate: Check = ({ templates }) => {
  const policies = resourcesOf(templates, 'AWS::S3::BucketPolicy');
  return resourcesOf(templates, 'AWS::S3::Bucket').flatMap(({ id, stack, properties }) => {
    const found: string[] = [];
    const block = properties.PublicAccessBlockConfiguration ?? {};
    for (const key of ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'])
      if (block[key] !== true) found.push(`${id} does not have ${key}`);
    if (!properties.BucketEncryption) found.push(`${id} is not encrypted`);
    const own = policies.filter((p) => p.stack === stack && p.properties.Bucket.Ref === id);
    const all: Statement[] = own.flatMap((p) => p.properties.PolicyDocument.Statement);
    if (!all.some((s) => s.Effect === 'Deny' && JSON.stringify(s.Condition ?? {}).includes('aws:SecureTransport')))
      found.push(`${id} does not require TLS`);
    for (const s of all)
      if (s.Effect === 'Allow' && (s.Principal === '*' || JSON.stringify(s.Principal).includes('"*"')))
        found.push(`${id} allows ${list(s.Action).join(', ')} to everybody`);
    return found;
  });
};

/** Nothing may open a connection to a builder or a function. */
const noInbound: Check = ({ templates }) => {
  const closed = resourcesOf(templates, 'AWS::EC2::SecurityGroup').filter((g) =>
    /^(Builder tasks|Functions in the VPC)/.test(g.properties.GroupDescription),
  );
  const found = closed.length === 6 ? [] : ['the security groups of builders and functions are not there'];
  for (const group of closed) {
    if (list(group.properties.SecurityGroupIngress).length > 0) found.push(`${group.id} lets something in`);
    for (const rule of resourcesOf(templates, 'AWS::EC2::SecurityGroupIngress'))
      if (pointsAt(templates, rule.stack, rule.properties.GroupId).startsWith(`${group.stack}.${group.id}.`))
        found.push(`${rule.id} lets something into ${group.id}`);
  }
  const worker = functionNamed(templates, 'build-worker');
  const builders = closed.filter((g) => g.properties.GroupDescription.startsWith('Builder tasks'));
  const given = pointsAt(templates, 'Pipeline', worker?.properties.Environment.Variables.BUILDER_SECURITY_GROUPS ?? '');
  if (given !== builders.map(({ id }) => `Network.${id}.GroupId`).join(',')) found.push(`builds run in ${given}`);
  return found;
};

/** Every log group forgets some day, and no function writes to a group that Lambda made by itself. */
const retention: Check = ({ templates }) => {
  const logGroups = resourcesOf(templates, 'AWS::Logs::LogGroup')
    .filter((g) => !g.properties.RetentionInDays)
    .map((g) => `${g.id} keeps logs for ever`);
  const functions = resourcesOf(templates, 'AWS::Lambda::Function')
    // CDK's own provider for emptying buckets has no setting for it; it runs when a stack is deleted.
    .filter((f) => !f.properties.LoggingConfig?.LogGroup && !f.id.startsWith('CustomS3AutoDeleteObjects'))
    .map((f) => `${f.id} has no log group of ours`);
  return [...logGroups, ...functions];
};

/** The role behind builds' credentials: assumed by build-worker alone, and bounded. */
const buildRole: Check = ({ templates }) => {
  const roles = resourcesOf(templates, 'AWS::IAM::Role');
  const build = roles.find((r) => /^veren-[a-z]+-[a-z0-9-]+-build$/.test(r.properties.RoleName ?? ''));
  const worker = functionNamed(templates, 'build-worker');
  if (!build || !worker) return ['no build role'];
  const found: string[] = [];
  const trusted = build.properties.AssumeRolePolicyDocument.Statement.map((s: Statement) => s.Principal);
  if (JSON.stringify(trusted) !== JSON.stringify([{ AWS: worker.properties.Role }]))
    found.push(`the build role trusts ${JSON.stringify(trusted)}`);
  if (!build.properties.PermissionsBoundary) found.push('the build role has no boundary');
  const may = statements(templates).filter((s) => s.Action.includes('sts:AssumeRole'));
  if (may.length !== 1 || !may[0]?.where.includes('buildworker'))
    found.push(`AssumeRole is given to ${may.map((s) => s.where).join(', ')}`);
  return found;
};

/** Whatever cannot be made again stays when its stack goes, where the stage says so; and its stack is protected. */
const STATEFUL = [
  'AWS::S3::Bucket',
  'AWS::MSK::Cluster',
  'AWS::ElastiCache::ReplicationGroup',
  'AWS::EC2::Volume',
  'AWS::SecretsManager::Secret',
];
const dataKept: Check = ({ templates, terminationProtection }) => {
  const stateful: { id: string; resource: Resource }[] = [
    ...STATEFUL.flatMap((type) => resourcesOf(templates, type)),
    ...resourcesOf(templates, 'AWS::ECR::Repository').filter((r) => r.id.includes('UserImages')),
  ];
  const found = stateful
    // A stack makes the dashboard's files out of this repository each time.
    .filter((r) => r.resource.DeletionPolicy !== 'RetainExceptOnCreate' && !r.id.startsWith('DashboardBucket'))
    .map((r) => `${r.id} goes with its stack`);
  return terminationProtection.Data ? found : [...found, 'the data stack can be deleted'];
};

/** Scanned, and tags of users' images cannot be moved. */
const repositories: Check = ({ templates }) => {
  const all = resourcesOf(templates, 'AWS::ECR::Repository');
  const found = all
    .filter((r) => r.properties.ImageScanningConfiguration?.ScanOnPush !== true)
    .map((r) => `${r.properties.RepositoryName} is not scanned`);
  const users = all.find((r) => r.properties.RepositoryName === 'my-backend');
  return users?.properties.ImageTagMutability === 'IMMUTABLE' ? found : [...found, 'tags of my-backend can be moved'];
};

/** What is referred to by name is deployed first: repositories that images are pushed to, roles that clusters need at once. */
const deployedInOrder: Check = ({ templates, before }) => {
  const waitsFor = (stack: StackId, first: StackId): boolean =>
    before[stack].some((other) => other === first || (isStack(other) && waitsFor(other, first)));
  const needs = resourcesOf(templates, 'AWS::ECR::Repository').flatMap(({ stack: first, properties }) => {
    // In the address of an image, or in the repository's ARN: a function may have the same name.
    const name = new RegExp(`/${properties.RepositoryName}(?![\\w-])`);
    const users = STACKS.filter((stack) => stack !== first && name.test(JSON.stringify(templates[stack])));
    return users.map((stack) => ({ stack, first, what: String(properties.RepositoryName) }));
  });
  const roles = resourcesOf(templates, 'Custom::AWS').filter((r) =>
    /createServiceLinkedRole/.test(r.properties.Create),
  );
  for (const { stack: first } of roles.slice(0, 1))
    for (const { stack } of CLUSTERS.flatMap((type) => resourcesOf(templates, type)))
      needs.push({ stack, first, what: 'roles of services' });
  const found = needs.filter(({ stack, first }) => !waitsFor(stack, first));
  return [...new Set(found.map(({ stack, what }) => `${stack} does not wait for ${what}`))];
};
const CLUSTERS = ['AWS::ECS::Cluster', 'AWS::MSK::Cluster', 'AWS::ElastiCache::ReplicationGroup'];
const isStack = (id: string): id is StackId => (STACKS as readonly string[]).includes(id);

/** Checks for every stage. */
export const CHECKS = {
  builderNames,
  isolatedContainers,
  noTaskRole,
  workerVariables,
  functionVariables,
  noWildcards,
  bucketsPrivate,
  noInbound,
  retention,
  buildRole,
  repositories,
  deployedInOrder,
} as const satisfies Record<string, Check>;

/** For stages that keep their data. */
export const PRODUCTION_CHECKS = { dataKept } as const satisfies Record<string, Check>;

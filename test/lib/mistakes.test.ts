import { CfnTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import { AnyPrincipal, ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { VerenStacks } from '../../lib/app.ts';
import { CHECKS, type Check, functionNamed, PRODUCTION_CHECKS } from './support/checks.ts';
import { type Resource, resourcesOf, type Synthesized, synthesize } from './support/synth.ts';

/**
 * Proof that the checks can fail: each deliberate mistake must be found by the check that is meant for it. Mistakes are made
 * in a copy of the finished templates, and the four of the issue in the app itself too.
 */
const prod = synthesize('prod');
const all: Record<string, Check> = { ...CHECKS, ...PRODUCTION_CHECKS };

const first = (s: Synthesized, type: string, where: (r: Resource) => boolean = () => true): Resource => {
  const found = resourcesOf(s.templates, type).find(({ resource }) => where(resource));
  if (!found) throw new Error(`no ${type}`);
  return found.resource;
};
const task = (s: Synthesized, family: string) =>
  first(s, 'AWS::ECS::TaskDefinition', (r) => r.Properties.Family === family);
const variables = (s: Synthesized, name: string) =>
  functionNamed(s.templates, name)?.resource.Properties.Environment.Variables;
const group = (s: Synthesized, description: RegExp) =>
  first(s, 'AWS::EC2::SecurityGroup', (r) => description.test(r.Properties.GroupDescription));
const policyOf = (s: Synthesized, id: RegExp) => {
  const [, policy] =
    Object.entries(s.templates.Pipeline.Resources).find(([k, r]) => id.test(k) && r.Type === 'AWS::IAM::Policy') ?? [];
  if (!policy) throw new Error(`no policy ${id}`);
  return policy.Properties.PolicyDocument.Statement;
};

/** Check, mistake, and what the check must say. */
const MISTAKES: [string, string, (s: Synthesized) => void, RegExp][] = [
  [
    'noTaskRole',
    'a task role',
    (s) => (task(s, 'backend-build-worker').Properties.TaskRoleArn = 'arn:aws:iam::1:role/x'),
    /backend-build-worker has a task role/,
  ],
  [
    'builderNames',
    'containers of 18 and 20 swapped',
    (s) => {
      task(s, 'frontend-builder-18').Properties.ContainerDefinitions[0].Name = 'builder-task-20-image';
      task(s, 'builder-task-20').Properties.ContainerDefinitions[0].Name = 'frontend-builder-18';
    },
    /frontend-builder-18 has containers builder-task-20-image/,
  ],
  [
    'isolatedContainers',
    'the isolated container may write the channel',
    (s) => (task(s, 'backend-dockerfile-builder').Properties.ContainerDefinitions[1].MountPoints[0].ReadOnly = false),
    /can write the channel/,
  ],
  [
    'isolatedContainers',
    'the isolated container is given a variable',
    (s) =>
      (task(s, 'backend-dockerfile-builder').Properties.ContainerDefinitions[1].Environment = [
        { Name: 'ECR_URI', Value: 'x' },
      ]),
    /is given something/,
  ],
  [
    'isolatedContainers',
    'both containers see each other’s processes',
    (s) => (task(s, 'backend-dockerfile-builder').Properties.PidMode = 'task'),
    /shares its processes/,
  ],
  [
    'isolatedContainers',
    'the isolated container may read the packets of the other',
    (s) => (task(s, 'backend-dockerfile-builder').Properties.ContainerDefinitions[1].LinuxParameters = {}),
    /keeps NET_RAW/,
  ],
  [
    'isolatedContainers',
    'the end of the isolated container ends the task',
    (s) => (task(s, 'backend-dockerfile-builder').Properties.ContainerDefinitions[1].Essential = true),
    /ends the task/,
  ],
  [
    'builderNames',
    'images of 18 and 20 swapped',
    (s) => {
      const [a, b] = [task(s, 'frontend-builder-18'), task(s, 'builder-task-20')].map(
        (t) => t.Properties.ContainerDefinitions[0],
      );
      [a.Image, b.Image] = [b.Image, a.Image];
    },
    /frontend-builder-18 does not run the image of frontend-builder-18/,
  ],
  [
    'builderNames',
    'a cluster renamed',
    (s) => (first(s, 'AWS::ECS::Cluster').Properties.ClusterName = 'Builder'),
    /no cluster builder/,
  ],
  // The earlier system's bug: Node 20 was given the container of Node 18.
  [
    'workerVariables',
    'FRONTEND20CONTAINER with the container of 18',
    (s) => (variables(s, 'build-worker').FRONTEND20CONTAINER = variables(s, 'build-worker').FRONTEND18CONTAINER),
    /FRONTEND20CONTAINER is frontend-builder-18/,
  ],
  [
    'workerVariables',
    'TASK22 with the task of 24',
    (s) => (variables(s, 'build-worker').TASK22 = variables(s, 'build-worker').TASK24),
    /TASK22 is/,
  ],
  [
    'workerVariables',
    'no AWS_BACKEND_CLUSTER',
    (s) => delete variables(s, 'build-worker').AWS_BACKEND_CLUSTER,
    /AWS_BACKEND_CLUSTER is nothing/,
  ],
  [
    'functionVariables',
    'no TOKENS_SECRET_ARN for the API',
    (s) => delete variables(s, 'api').TOKENS_SECRET_ARN,
    /api: TOKENS_SECRET_ARN/,
  ],
  [
    'functionVariables',
    'a variable that nobody reads',
    (s) => (variables(s, 'websocket').KAFKA_BROKERS = 'x'),
    /websocket is given KAFKA_BROKERS/,
  ],
  [
    'noWildcards',
    'a grant widened to *',
    (s) => (policyOf(s, /apiRole/).find((x: { Sid?: string }) => x.Sid === 'ReadObjects').Resource = '*'),
    /s3:GetObject on \*/,
  ],
  [
    'noWildcards',
    'an action widened to *',
    (s) => (policyOf(s, /taskwatcherRole/).find((x: { Sid?: string }) => x.Sid === 'BuilderTasks').Action = 'ecs:*'),
    /allows ecs:\*/,
  ],
  [
    'noWildcards',
    'PassRole on everything',
    (s) =>
      (policyOf(s, /buildworkerRole/).find((x: { Action: unknown }) => x.Action === 'iam:PassRole').Resource = '*'),
    /iam:PassRole on \*/,
  ],
  [
    'bucketsPrivate',
    'public access not blocked',
    (s) =>
      (first(
        s,
        'AWS::S3::Bucket',
        (r) => 'BucketName' in r.Properties,
      ).Properties.PublicAccessBlockConfiguration.RestrictPublicBuckets = false),
    /does not have RestrictPublicBuckets/,
  ],
  [
    'bucketsPrivate',
    'everybody may read',
    (s) =>
      first(s, 'AWS::S3::BucketPolicy').Properties.PolicyDocument.Statement.push({
        Effect: 'Allow',
        Principal: '*',
        Action: 's3:GetObject',
        Resource: '*',
      }),
    /to everybody/,
  ],
  [
    'bucketsPrivate',
    'TLS not required',
    (s) => first(s, 'AWS::S3::BucketPolicy').Properties.PolicyDocument.Statement.splice(0),
    /does not require TLS/,
  ],
  [
    'noInbound',
    'an inline rule into builders',
    (s) => (group(s, /^Builder tasks/).Properties.SecurityGroupIngress = [{ CidrIp: '10.0.0.0/8', IpProtocol: 'tcp' }]),
    /lets something in/,
  ],
  [
    'noInbound',
    'a rule of its own into functions',
    (s) => {
      const [id] = Object.entries(s.templates.Network.Resources).find(([, r]) => r === group(s, /^Functions/)) as [
        string,
        Resource,
      ];
      s.templates.Network.Resources.Hole = {
        Type: 'AWS::EC2::SecurityGroupIngress',
        Properties: { GroupId: { 'Fn::GetAtt': [id, 'GroupId'] } },
      };
    },
    /Hole lets something into/,
  ],
  [
    'noInbound',
    'builds in the group of the functions',
    (s) => (variables(s, 'build-worker').BUILDER_SECURITY_GROUPS = 'sg-1'),
    /builds run in sg-1/,
  ],
  [
    'retention',
    'a log group without end',
    (s) => delete first(s, 'AWS::Logs::LogGroup').Properties.RetentionInDays,
    /keeps logs for ever/,
  ],
  [
    'retention',
    'a function without our log group',
    (s) => delete functionNamed(s.templates, 'api')?.resource.Properties.LoggingConfig,
    /no log group of ours/,
  ],
  [
    'buildRole',
    'everybody in the account may assume it',
    (s) =>
      (first(s, 'AWS::IAM::Role', (r) =>
        /-build$/.test(r.Properties.RoleName ?? ''),
      ).Properties.AssumeRolePolicyDocument.Statement[0].Principal = { AWS: 'arn:aws:iam::1:root' }),
    /trusts/,
  ],
  [
    'buildRole',
    'no boundary',
    (s) =>
      delete first(s, 'AWS::IAM::Role', (r) => /-build$/.test(r.Properties.RoleName ?? '')).Properties
        .PermissionsBoundary,
    /no boundary/,
  ],
  [
    'repositories',
    'tags of my-backend mutable',
    (s) =>
      (first(
        s,
        'AWS::ECR::Repository',
        (r) => r.Properties.RepositoryName === 'my-backend',
      ).Properties.ImageTagMutability = 'MUTABLE'),
    /can be moved/,
  ],
  [
    'repositories',
    'no scan',
    (s) => delete first(s, 'AWS::ECR::Repository').Properties.ImageScanningConfiguration,
    /is not scanned/,
  ],
  [
    'deployedInOrder',
    'builders that may be deployed before the repositories of their images',
    (s) => ((s.before as Record<string, readonly string[]>).Builders = ['Network']),
    /Builders does not wait for frontend-builder-24/,
  ],
  [
    'deployedInOrder',
    'clusters that may be deployed before the roles that they need',
    (s) => ((s.before as Record<string, readonly string[]>).Data = []),
    /Builders does not wait for roles of services\nData does not wait for roles of services/,
  ],
  [
    'dataKept',
    'Kafka deleted with its stack',
    (s) => (first(s, 'AWS::MSK::Cluster').DeletionPolicy = 'Delete'),
    /goes with its stack/,
  ],
  [
    'dataKept',
    'no termination protection',
    (s) => ((s.terminationProtection as Record<string, boolean>).Data = false),
    /can be deleted/,
  ],
];

test.each(MISTAKES)('%s finds: %s', (check, _, mistake, says) => {
  const copy = structuredClone(prod);
  mistake(copy);
  expect(all[check]?.(copy).join('\n')).toMatch(says);
});

test('every check has a mistake that it finds', () => {
  expect(new Set(MISTAKES.map(([check]) => check))).toEqual(new Set(Object.keys(all)));
});

/** The same, made in the constructs: what a change of the code would do. */
const IN_THE_APP: [string, (stacks: VerenStacks) => void, RegExp][] = [
  [
    'noTaskRole',
    ({ builders }) => {
      for (const child of builders.node.findAll())
        if (child instanceof CfnTaskDefinition) child.taskRoleArn = 'arn:aws:iam::123456789012:role/x';
    },
    /has a task role/,
  ],
  [
    'bucketsPrivate',
    ({ data }) => {
      for (const child of data.node.findAll())
        if (child instanceof Bucket)
          child.addToResourcePolicy(
            new PolicyStatement({
              principals: [new AnyPrincipal()],
              actions: ['s3:GetObject'],
              resources: [child.arnForObjects('*')],
            }),
          );
    },
    /to everybody/,
  ],
  [
    'builderNames',
    ({ builders }) => {
      for (const child of builders.node.findAll())
        if (child instanceof CfnTaskDefinition && child.family === 'builder-task-20')
          child.addPropertyOverride('ContainerDefinitions.0.Name', 'builder-task-20');
    },
    /builder-task-20 has containers builder-task-20,/,
  ],
  [
    'noWildcards',
    ({ pipeline }) => {
      pipeline.functions.api.role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] }));
    },
    /s3:GetObject on \*/,
  ],
];

test.each(IN_THE_APP)('%s finds the mistake in the app', (check, change, says) => {
  expect(all[check]?.(synthesize('local', { change })).join('\n')).toMatch(says);
});

test('cdk-nag stops the synth of a grant that nobody has answered for', () => {
  const change = ({ pipeline }: VerenStacks) =>
    pipeline.functions.websocket.role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('AdministratorAccess'));
  expect(() => synthesize('local', { change, nag: true })).toThrow(/AdministratorAccess/);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILDERS, type Builder } from '../../contract/builders.ts';
import { METRIC_NAMESPACE, METRICS } from '../../contract/metrics.ts';
import { BUILDER_TOPICS, HANDOVER_PREFIX, s3Keys, TOPICS, UPLOADS_PREFIX } from '../../contract/names.ts';
import { UPLOAD_DAYS } from '../../contract/uploads.ts';
import { readECSConfig } from '../../lambdas/build-worker/config/ECSconfig.ts';
import { sessionPolicy } from '../../lambdas/build-worker/services/credentials.ts';
import { PROMOTION_LEASE_MS } from '../../lambdas/build-worker/workers/promote.ts';
import { redisRules } from '../../lambdas/shared/redisUsers.ts';
import { OWNERS } from '../../lib/constructs/grants.ts';
import { SITE_HEADERS } from '../../lib/constructs/sites/site-table.ts';
import { GITHUB_APPS, VERDICTS } from '../../lib/stacks/pipeline-stack.ts';
import { functionNamed, functionStatements, statements } from './support/checks.ts';
import { pointsAt, ROOT, resourcesOf, synthesize } from './support/synth.ts';

const prod = synthesize('prod');
const { templates } = prod;
const only = (type: string) => {
  const found = resourcesOf(templates, type);
  expect(found).toHaveLength(1);
  return found[0]?.properties ?? {};
};
const text = (value: unknown) => JSON.stringify(value);
const isForEarlier = ({ Resource }: { readonly Resource: readonly unknown[] }) =>
  text(Resource).includes('/__outputs/*');

describe('builders', () => {
  test('the earlier system’s bug: Node 20 reads its own container, through the real function environment', () => {
    const variables = functionNamed(templates, 'build-worker')?.properties.Environment.Variables;
    const env = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, pointsAt(templates, 'Pipeline', value)]),
    );
    const configs = readECSConfig(env);
    expect(configs.frontendConfig20.CONTAINERNAME).toBe('builder-task-20-image');
    expect(configs.frontendConfig18.CONTAINERNAME).toBe('frontend-builder-18');
    expect(configs.frontendConfig20).toMatchObject({ CLUSTER: 'builder' });
    expect(configs.backendECSConfig).toMatchObject({
      CLUSTER: 'backend-builder',
      CONTAINERNAME: 'backend-build-worker',
    });
  });

  test('build-worker has the time that the largest promotion takes, also for one that it begins late', () => {
    const seconds = functionNamed(templates, 'build-worker')?.properties.Timeout;
    expect(seconds * 1_000).toBeGreaterThan(PROMOTION_LEASE_MS + 120_000);
  });

  test.each(BUILDERS)('$family: Fargate, size from config, awslogs, one essential container', (builder: Builder) => {
    const { family, target, isolated } = builder;
    const task =
      resourcesOf(templates, 'AWS::ECS::TaskDefinition').find((t) => t.properties.Family === family)?.properties ?? {};
    expect(task).toMatchObject({
      RequiresCompatibilities: ['FARGATE'],
      NetworkMode: 'awsvpc',
      Cpu: target === 'frontend' ? '2048' : '4096',
      Memory: target === 'frontend' ? '8192' : '16384',
      EphemeralStorage: { SizeInGiB: target === 'frontend' ? 30 : 60 },
    });
    expect(task.ContainerDefinitions.filter((c: { Essential: boolean }) => c.Essential)).toHaveLength(1);
    expect(task.ContainerDefinitions).toHaveLength(isolated ? 2 : 1);
    expect(task.ContainerDefinitions[0]).toMatchObject({ Essential: true, LogConfiguration: { LogDriver: 'awslogs' } });
    // What a build is told comes with RunTask; nothing is baked in, least of all a secret.
    expect(task.ContainerDefinitions[0]).not.toHaveProperty('Environment');
    expect(task.ContainerDefinitions[0]).not.toHaveProperty('Secrets');
  });

  test('execution roles can pull one image and write one log, and nothing else', () => {
    for (const { family } of BUILDERS) {
      const task = resourcesOf(templates, 'AWS::ECS::TaskDefinition').find((t) => t.properties.Family === family);
      const role = task?.properties.ExecutionRoleArn['Fn::GetAtt'][0];
      const policies = resourcesOf(templates, 'AWS::IAM::Policy').filter((p) =>
        text(p.properties.Roles).includes(`"${role}"`),
      );
      const allowed = policies.flatMap((p) =>
        p.properties.PolicyDocument.Statement.flatMap((s: { Action: string[] }) => s.Action),
      );
      expect(allowed.sort()).toEqual([
        'ecr:BatchCheckLayerAvailability',
        'ecr:BatchGetImage',
        'ecr:GetAuthorizationToken',
        'ecr:GetDownloadUrlForLayer',
        'logs:CreateLogStream',
        'logs:PutLogEvents',
      ]);
    }
  });

  test('each image is built by the deployment, from its Dockerfile into its repository', () => {
    const builds = resourcesOf(templates, 'Custom::CDKContainerImageBuild').filter((b) => b.stack === 'Builders');
    for (const { dockerfile, repository } of BUILDERS)
      expect(
        builds.filter(
          (b) =>
            text(b.properties.buildCommand).includes(dockerfile) &&
            text(b.properties.repositoryUri).includes(`/${repository}"`),
        ),
      ).toHaveLength(1);
  });
});

describe('credentials of builds', () => {
  test.each(['frontend', 'backend'] as const)(
    'everything in the session policy of a %s is in the role, or it would be denied',
    (target) => {
      const policy = sessionPolicy(
        { projectId: 'p', deploymentId: 'd', lane: 'preview', target },
        {
          buildRoleArn: 'r',
          bucketArn: 'BUCKET',
          userImagesArn: 'IMAGES',
          kafkaClusterArn: 'arn:aws:kafka:r:1:cluster/c/u',
        },
      );
      const union = statements(templates).filter((s) => /^Pipeline\.BuildRole/.test(s.where) && !isForEarlier(s));
      for (const wanted of policy.Statement) {
        for (const action of wanted.Action) {
          const given = union.filter((s) => s.Action.includes(action));
          expect({ action, given: given.length }).toEqual({ action, given: 1 });
        }
      }
    },
  );

  test('on what production serves the role has no more than builders of d91163f need that are under way', () => {
    for (const where of [/^Pipeline\.BuildRole/, /^Pipeline\.BuildBoundary/]) {
      const onSites = statements(templates).filter((s) => where.test(s.where) && isForEarlier(s));
      expect(onSites.map((s) => [[...s.Action].sort(), s.Resource.length])).toEqual([
        [['s3:DeleteObject', 's3:PutObject'], 1],
      ]);
    }
  });

  test('what a session policy gives on every resource is held to named ones by the role and by its boundary', () => {
    const resources = { buildRoleArn: 'r', bucketArn: 'BUCKET', userImagesArn: 'IMAGES', kafkaClusterArn: 'cluster' };
    const job = { projectId: 'p', deploymentId: 'd', lane: 'preview', target: 'frontend' } as const;
    const open = sessionPolicy(job, resources).Statement.filter((s) => s.Resource === '*');
    const actions = open.flatMap((s) => s.Action);
    expect(actions.every((action) => action.startsWith('kafka-cluster:'))).toBe(true);
    for (const action of actions)
      for (const where of [/^Pipeline\.BuildRole/, /^Pipeline\.BuildBoundary/]) {
        const given = statements(templates).filter((s) => where.test(s.where) && s.Action.includes(action));
        const named = given.flatMap((s) => s.Resource.map(text));
        const isTopic = /Topic|WriteData$/.test(action);
        expect([action, named.length]).toEqual([action, isTopic ? BUILDER_TOPICS.length : 1]);
        for (const name of named)
          expect(name).toMatch(isTopic ? /\/build-(?:events|logs)"/ : /:cluster\/|ClusterArn|Kafka/i);
      }
  });

  test('four functions remove objects: the API caches, build-worker hand-overs, releaser what the copy no longer has, task-watcher what is deleted or expired', () => {
    const removed = (name: 'api' | 'build-worker' | 'releaser' | 'task-watcher') =>
      functionStatements(templates, name)
        .filter((s) => s.Action.includes('s3:DeleteObject'))
        .map((s) => s.Resource.map(text));
    expect(removed('api')).toEqual([[expect.stringMatching(/"\/__cache\/\*"\]/)]]);
    expect(removed('build-worker')).toEqual([[expect.stringMatching(/"\/__handover\/\*"\]/)]]);
    expect(removed('releaser')).toEqual([[expect.stringMatching(/"\/__outputs\/\*"\]/)]]);
    const removing = statements(templates).filter(
      (s) =>
        s.Action.includes('s3:DeleteObject') &&
        /^Pipeline\./.test(s.where) &&
        !/^Pipeline\.BuildRole|Boundary/.test(s.where),
    );
    expect(removed('task-watcher')[0]).toHaveLength(13);
    expect(text(removed('task-watcher'))).not.toMatch(/__audit|__tokens|owner\.json|__parked|__domains/);
    // The dashboard's own files are in a bucket of their own.
    expect(removing.filter((s) => !/DashboardFiles/.test(s.where))).toHaveLength(4);
  });

  test('the boundary says the same as the role', () => {
    const boundary = only('AWS::IAM::ManagedPolicy').PolicyDocument;
    const role = resourcesOf(templates, 'AWS::IAM::Role').find(
      (r) => r.properties.RoleName === 'veren-prod-ap-south-1-build',
    );
    expect(role?.properties.Policies[0].PolicyDocument).toEqual(boundary);
    expect(role?.properties.MaxSessionDuration).toBe(3_600);
  });
});

describe('messaging', () => {
  test('MSK: TLS everywhere, IAM alone, no topics by accident', () => {
    const cluster = only('AWS::MSK::Cluster');
    expect(cluster.EncryptionInfo.EncryptionInTransit).toEqual({ ClientBroker: 'TLS', InCluster: true });
    expect(cluster.ClientAuthentication).toEqual({
      Sasl: { Iam: { Enabled: true }, Scram: { Enabled: false } },
      Unauthenticated: { Enabled: false },
    });
    expect(cluster.BrokerNodeGroupInfo.ConnectivityInfo).toEqual({ PublicAccess: { Type: 'DISABLED' } });
    expect(only('AWS::MSK::Configuration').ServerProperties).toContain('auto.create.topics.enable=false');
  });

  test('the deployment makes the topics', () => {
    const { topics } = only('Custom::KafkaTopics');
    expect(topics.map((t: { name: string }) => t.name)).toEqual(Object.values(TOPICS));
    expect(topics[0]).toMatchObject({
      partitions: '6',
      replicationFactor: '3',
      config: { 'min.insync.replicas': '2' },
    });
  });

  test('Valkey: TLS, password by reference, nothing evicted, snapshots, failover', () => {
    const group = only('AWS::ElastiCache::ReplicationGroup');
    expect(group).toMatchObject({
      Engine: 'valkey',
      TransitEncryptionEnabled: true,
      TransitEncryptionMode: 'required',
      AtRestEncryptionEnabled: true,
      AutomaticFailoverEnabled: true,
      SnapshotRetentionLimit: 7,
    });
    expect(group.UserGroupIds).toHaveLength(1);
    expect(only('AWS::ElastiCache::ParameterGroup').Properties).toEqual({ 'maxmemory-policy': 'noeviction' });
  });

  test('each function has its own user in Redis, with its own password and the rules of its ports', () => {
    const users = resourcesOf(templates, 'AWS::ElastiCache::User');
    expect(users.map((u) => u.properties.UserName).sort()).toEqual(Object.keys(redisRules()).sort());
    for (const { properties } of users) {
      expect(properties.AccessString).toMatch(/^on resetchannels -@all ~veren:/);
      expect(properties.AccessString).not.toMatch(/~\*|\+@all|allkeys|allchannels|allcommands|nopass/);
      expect(text(properties.AuthenticationMode.Passwords)).toContain('{{resolve:secretsmanager:');
      const { REDIS_USERNAME, REDIS_SECRET_ARN } =
        functionNamed(templates, properties.UserName)?.properties.Environment.Variables ?? {};
      expect(REDIS_USERNAME).toBe(properties.UserName);
      const secret = pointsAt(templates, 'Pipeline', REDIS_SECRET_ARN).replace('Data.', '');
      expect(text(properties.AuthenticationMode.Passwords)).toContain(secret);
      const readable = functionStatements(templates, properties.UserName).filter((s) => s.Sid === 'RedisPassword');
      expect(readable.map((s) => s.Resource.map((r) => pointsAt(templates, 'Pipeline', r)))).toEqual([
        [`Data.${secret}`],
      ]);
    }
  });

  /** Who may do what in Kafka: written down once, here and in docs/architecture.md. */
  const WRITE_EVENTS = ['Connect', 'DescribeTopic', 'WriteData', 'WriteDataIdempotently'];
  test.each<[string, string[], string[]]>([
    ['api', WRITE_EVENTS, [TOPICS.events]],
    ['clone-worker', WRITE_EVENTS, [TOPICS.events]],
    ['build-worker', WRITE_EVENTS, [TOPICS.events]],
    ['task-watcher', WRITE_EVENTS, [TOPICS.events]],
    ['git-worker', WRITE_EVENTS, [TOPICS.events]],
    [
      'event-projector',
      ['AlterGroup', 'Connect', 'DescribeClusterDynamicConfiguration', 'DescribeGroup', 'DescribeTopic', 'ReadData'],
      Object.values(TOPICS),
    ],
    ['repo-analyzer', [], []],
    ['log-streamer', [], []],
    ['websocket', [], []],
  ])('%s may do in Kafka exactly this', (name, actions, topics) => {
    const given = functionStatements(templates, name).filter((s) =>
      s.Action.some((a) => a.startsWith('kafka-cluster:')),
    );
    expect([...new Set(given.flatMap((s) => s.Action))].map((a) => a.replace('kafka-cluster:', '')).sort()).toEqual(
      actions,
    );
    const named = [
      ...text(given.map((s) => s.Resource)).matchAll(/\/(deployment-events|build-events|build-logs)"/g),
    ].map((m) => m[1]);
    expect(new Set(named)).toEqual(new Set(topics));
  });

  test('a build may write to the topics of builders and to no other', () => {
    const role = resourcesOf(templates, 'AWS::IAM::Role').find(
      (r) => r.properties.RoleName === 'veren-prod-ap-south-1-build',
    );
    const named = new Set([...text(role).matchAll(/\/(deployment-events|build-events|build-logs)"/g)].map((m) => m[1]));
    expect(named).toEqual(new Set(BUILDER_TOPICS));
  });

  test('who publishes or verifies messages reads the signing secret, and nobody else does', () => {
    const users = ['api', 'clone-worker', 'build-worker', 'task-watcher', 'event-projector', 'git-worker'];
    for (const name of [...users, 'repo-analyzer', 'log-streamer', 'websocket', 'site-fallback']) {
      const isUser = users.includes(name);
      const variables = functionNamed(templates, name)?.properties.Environment.Variables ?? {};
      expect([name, 'EVENT_SIGNING_SECRET_ARN' in variables]).toEqual([name, isUser]);
      const sids = functionStatements(templates, name).map((s) => s.Sid);
      expect([name, sids.includes('EventSigning')]).toEqual([name, isUser]);
      expect([name, sids.includes('EventSigningSince')]).toEqual([name, name === 'event-projector']);
    }
  });

  test('hand-overs: build-worker alone reads and writes them, task-watcher removes those of a removed project, outside of the VPC nobody, and none outlives a day', () => {
    const objects = (name: string) =>
      functionStatements(templates, name)
        .filter((s) => text(s.Resource).includes(HANDOVER_PREFIX))
        .flatMap((s) => s.Action)
        .sort();
    expect(objects('build-worker')).toEqual(['s3:DeleteObject', 's3:GetObject', 's3:PutObject']);
    for (const name of ['api', 'clone-worker', 'event-projector', 'releaser', 'log-streamer', 'site-fallback'])
      expect(objects(name)).toEqual([]);
    expect(objects('task-watcher')).toEqual(['s3:DeleteObject']);
    const denied = resourcesOf(templates, 'AWS::S3::BucketPolicy')
      .flatMap((p) => p.properties.PolicyDocument.Statement as { Sid?: string }[])
      .find((s) => s.Sid === 'HandoversStayInTheVpc');
    expect(denied).toMatchObject({ Effect: 'Deny', Action: 's3:GetObject', Principal: { AWS: '*' } });
    expect(text(denied)).toContain('aws:SourceVpc');
    const rules = resourcesOf(templates, 'AWS::S3::Bucket').flatMap(
      (b) => b.properties.LifecycleConfiguration?.Rules ?? [],
    );
    expect(rules).toContainEqual(
      expect.objectContaining({ Prefix: HANDOVER_PREFIX, ExpirationInDays: 1, Status: 'Enabled' }),
    );
    expect(rules).toContainEqual(
      expect.objectContaining({ Prefix: UPLOADS_PREFIX, ExpirationInDays: UPLOAD_DAYS, Status: 'Enabled' }),
    );
    const endpoints = resourcesOf(templates, 'AWS::EC2::VPCEndpoint');
    expect(endpoints.some((e) => text(e.properties.ServiceName).includes('s3'))).toBe(true);
  });

  test('the event source: every topic, filtered, partial batches, bisection, bounded retries, a place for failures', () => {
    const mappings = resourcesOf(templates, 'AWS::Lambda::EventSourceMapping');
    expect(mappings.map((m) => m.properties.Topics).sort()).toEqual([
      ['build-events'],
      ['build-logs'],
      ['deployment-events'],
    ]);
    for (const { properties } of mappings) {
      expect(properties).toMatchObject({
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        BisectBatchOnFunctionError: true,
        MaximumRetryAttempts: 10,
        StartingPosition: 'TRIM_HORIZON',
        ProvisionedPollerConfig: { MinimumPollers: 1, PollerGroupName: 'veren-projector' },
      });
      expect(JSON.parse(properties.FilterCriteria.Filters[0].Pattern)).toEqual({
        value: { v: [{ exists: true }], deploymentId: [{ exists: true }] },
      });
      expect(text(properties.DestinationConfig.OnFailure)).toContain('ProjectorSourceFailed');
    }
  });
});

describe('pipeline', () => {
  test('POST /analyze has its own function, everything else goes to the API', () => {
    const routes = resourcesOf(templates, 'AWS::ApiGatewayV2::Route').map((r) => r.properties.RouteKey);
    expect(routes.sort()).toEqual([
      ...['$connect', '$default', '$default', '$disconnect'],
      ...['GET /docs', 'GET /docs/{proxy+}', 'POST /analyze', 'subscribe'],
    ]);
    const integrations = resourcesOf(templates, 'AWS::ApiGatewayV2::Integration').filter(
      (i) => i.properties.PayloadFormatVersion,
    );
    // What has none of a function's leads to the reference page.
    expect(integrations.map((i) => i.properties.PayloadFormatVersion)).toEqual(['2.0', '2.0', '1.0', '1.0']);
  });

  test('the log stream is streamed; the API sends followers there', () => {
    const methods = resourcesOf(templates, 'AWS::ApiGateway::Method');
    expect(methods).toHaveLength(1);
    const { HttpMethod, Integration } = methods[0]?.properties ?? {};
    expect(HttpMethod).toBe('GET');
    // Longer than a stream, which ends itself after two minutes.
    expect(Integration).toMatchObject({ Type: 'AWS_PROXY', ResponseTransferMode: 'STREAM', TimeoutInMillis: 180_000 });
    expect(text(Integration.Uri)).toContain('/2021-11-15/functions/');
    expect(text(Integration.Uri)).toContain('/response-streaming-invocations');
    const { LOG_STREAM_URL } = functionNamed(templates, 'api')?.properties.Environment.Variables ?? {};
    const [api] = resourcesOf(templates, 'AWS::ApiGateway::RestApi');
    expect(pointsAt(templates, 'Pipeline', LOG_STREAM_URL)).toMatch(
      new RegExp(
        `^https://Pipeline\\.${api?.id}\\.execute-api\\.ap-south-1\\..+/Pipeline\\.FollowApiDeploymentStagelive`,
      ),
    );
  });

  test('task-watcher hears of stopped tasks of our two clusters, and sweeps every minute', () => {
    const rules = resourcesOf(templates, 'AWS::Events::Rule').map((r) => r.properties);
    const stopped = rules.find((r) => r.EventPattern)?.EventPattern;
    expect(stopped).toMatchObject({
      source: ['aws.ecs'],
      'detail-type': ['ECS Task State Change'],
      detail: { lastStatus: ['STOPPED'] },
    });
    expect(stopped.detail.clusterArn).toHaveLength(2);
    expect(rules.map((r) => r.ScheduleExpression).filter(Boolean)).toEqual(['rate(1 minute)']);
  });

  test.each<[string, string[]]>([
    [
      'api',
      [
        ...['__deployments/*/verdict-*.json', '__projects/*', '__owners/*', '__audit/*'],
        ...['__domains/*', '__deletions/*', '__variables/*', '__git/*'],
        ...['__uploads/*/files/*', '__uploads/*/manifests/*.json'],
      ],
    ],
    [
      'releaser',
      ['__deployments/*', '__outputs/*', '__projects/*', '__owners/*/projects/*', '__routes/*', '__audit/*'],
    ],
    ['event-projector', ['__records/*', '__logs/*', '__parked/*', '__builds/*', '__costs/*']],
    [
      'task-watcher',
      [
        ...['__audit/*', '__deletions/*', '__deployments/*/references.json', '__domains/*'],
        ...['__owners/*/projects/*', '__projects/*', '__routes/*', '__sweeps/*'],
      ],
    ],
    [
      'git-worker',
      [
        ...['__deployments/*/verdict-*.json', '__projects/*', '__git/*', '__deletions/*'],
        ...['__owners/*/projects/*', '__owners/*/storage.json'],
      ],
    ],
    ['log-streamer', []],
    ['websocket', []],
    ['repo-analyzer', []],
  ])('%s may write these objects and no others', (name, patterns) => {
    const written = functionStatements(templates, name).filter((s) => s.Action.includes('s3:PutObject'));
    const resources = written.flatMap((s) => s.Resource.map((r) => pointsAt(templates, 'Pipeline', r)));
    expect(resources.map((r) => r.replace(/^.*?\/(?=__)/, '')).sort()).toEqual([...patterns].sort());
  });

  test('the verdicts that the API may write are those of the contract', () => {
    const pattern = new RegExp(`^${VERDICTS.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    expect(s3Keys.verdict('p', 'd', 'frontend')).toMatch(pattern);
    expect(s3Keys.deploymentManifest('p', 'd')).not.toMatch(pattern);
  });

  test('the GitHub Apps that workers may read are those of the contract', () => {
    const pattern = new RegExp(`^${GITHUB_APPS.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    expect(s3Keys.githubApp('ann/lee *')).toMatch(pattern);
    expect(s3Keys.owner('ann')).not.toMatch(pattern);
  });

  test('functions that only check tokens read owners’ documents and nothing else of them, and list no keys', () => {
    const pattern = new RegExp(`^${OWNERS.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    expect(s3Keys.owner('ann/lee *')).toMatch(pattern);
    for (const key of [s3Keys.ownerProjects('ann'), s3Keys.ownerStorage('ann'), s3Keys.audit('ann')])
      expect(key).not.toMatch(pattern);
    for (const name of ['websocket', 'repo-analyzer']) {
      const ofBucket = functionStatements(templates, name).filter((s) => s.Action.some((a) => a.startsWith('s3:')));
      const seen = ofBucket.map((s) => [s.Action, s.Resource.map((r) => pointsAt(templates, 'Pipeline', r))]);
      expect(seen).toEqual([[['s3:GetObject'], [expect.stringMatching(/\/__owners\/\*\/owner\.json$/)]]]);
    }
  });

  test('the functions that run git are images; the analyzer of strangers’ input is outside the VPC', () => {
    const packaging = (name: string) => functionNamed(templates, name)?.properties.PackageType;
    expect([packaging('clone-worker'), packaging('repo-analyzer'), packaging('api')]).toEqual([
      'Image',
      'Image',
      undefined,
    ]);
    expect(functionNamed(templates, 'repo-analyzer')?.properties).not.toHaveProperty('VpcConfig');
    expect(functionNamed(templates, 'clone-worker')?.properties).toHaveProperty('VpcConfig');
  });

  test('code in a function cannot use the rights that Lambda needs to put it into the VPC', () => {
    const deny = functionStatements(templates, 'api').filter((s) => s.Effect === 'Deny');
    expect(deny).toHaveLength(1);
    expect(text(deny[0]?.Condition)).toContain('lambda:SourceFunctionArn');
    expect(text(deny[0]?.Condition)).toContain('function:veren-prod-api');
  });

  test('sites: CloudFront alone reads the bucket, and only the live sites', () => {
    const allowed = resourcesOf(templates, 'AWS::S3::BucketPolicy').flatMap((p) =>
      p.properties.PolicyDocument.Statement.filter((s: { Sid?: string }) => s.Sid === 'LiveSites'),
    );
    expect(allowed).toHaveLength(1);
    expect(allowed[0].Principal).toEqual({ Service: 'cloudfront.amazonaws.com' });
    const served = allowed[0].Resource.map((r: unknown) => /\/__.*\*/.exec(text(r))?.[0]);
    expect(served.sort()).toEqual(['/__deployments/*/*/files/*', '/__outputs/*']);
    expect(text(allowed[0].Condition)).toContain('distribution/');
  });

  test('sites: the function in front reads the table of routes, and names origins that there are', () => {
    const [table] = resourcesOf(templates, 'AWS::CloudFront::KeyValueStore');
    const functions = resourcesOf(templates, 'AWS::CloudFront::Function').map((f) => f.properties);
    const inFront = functions.find((f) => f.FunctionCode.includes('cf.kvs()'));
    expect(inFront?.FunctionConfig.Runtime).toBe('cloudfront-js-2.0');
    expect(inFront?.FunctionConfig.KeyValueStoreAssociations).toEqual([
      { KeyValueStoreARN: { 'Fn::GetAtt': [table?.id, 'Arn'] } },
    ]);
    for (const { FunctionCode } of functions) expect(Buffer.byteLength(FunctionCode)).toBeLessThan(10_240);
    const distributions = resourcesOf(templates, 'AWS::CloudFront::Distribution').filter((d) => d.stack === 'Data');
    expect(distributions).toHaveLength(1);
    const { DistributionConfig } = distributions[0]!.properties;
    const events = DistributionConfig.DefaultCacheBehavior.FunctionAssociations.map(
      (f: { EventType: string }) => f.EventType,
    );
    expect(events).toEqual(['viewer-request', 'viewer-response']);
    const named = [...(inFront?.FunctionCode ?? '').matchAll(/(?:originId: |ById\()'([\w-]+)'/g)].map((m) => m[1]);
    const ids = DistributionConfig.Origins.map((o: { Id: string }) => o.Id);
    expect(ids.sort()).toEqual([...new Set(named)].sort());
  });

  test('sites: what the function in front tells is a part of the cache’s key', () => {
    const { ParametersInCacheKeyAndForwardedToOrigin: key } = only('AWS::CloudFront::CachePolicy').CachePolicyConfig;
    expect(key.HeadersConfig).toEqual({ HeaderBehavior: 'whitelist', Headers: [...SITE_HEADERS] });
    expect(key.QueryStringsConfig).toEqual({ QueryStringBehavior: 'all' });
    expect(key.CookiesConfig).toEqual({ CookieBehavior: 'none' });
  });
});

describe('observability', () => {
  const alarms = resourcesOf(templates, 'AWS::CloudWatch::Alarm').map((a) => a.properties);

  test('every alarm has its runbook entry, tells somebody, and says where to read on', () => {
    const runbook = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');
    expect(alarms.length).toBeGreaterThanOrEqual(12);
    for (const { AlarmName, AlarmDescription, AlarmActions } of alarms) {
      const entry = AlarmName.replace('veren-prod-', '').replace(/^(kafka-disk)-\d+$/, '$1');
      expect(runbook).toContain(`### ${entry}\n`);
      expect(AlarmDescription).toContain(`docs/operations.md#${entry}`);
      expect(AlarmActions).toHaveLength(1);
    }
  });

  test('alarms watch metrics that functions write', () => {
    const own = alarms.filter(
      (a) => a.Namespace === METRIC_NAMESPACE || text(a.Metrics ?? '').includes(`"${METRIC_NAMESPACE}"`),
    );
    expect(own.length).toBe(7);
    for (const alarm of own) expect(Object.values(METRICS).some((m) => text(alarm).includes(`"${m}"`))).toBe(true);
  });

  test('one dashboard', () => {
    expect(resourcesOf(templates, 'AWS::CloudWatch::Dashboard')).toHaveLength(1);
  });
});

/** Replacing one of these loses data. A change here must be made on purpose, with a plan for what is in them. */
test('logical ids of what holds state', () => {
  const types = [
    'AWS::S3::Bucket',
    'AWS::MSK::Cluster',
    'AWS::ElastiCache::ReplicationGroup',
    'AWS::SecretsManager::Secret',
    'AWS::ECR::Repository',
  ];
  const ids = types.flatMap((type) =>
    resourcesOf(templates, type)
      .filter((r) => r.stack === 'Data')
      .map((r) => `${type} ${r.id}`),
  );
  expect(ids).toMatchInlineSnapshot(`
[
  "AWS::S3::Bucket StorageAccessLogs96FB524C",
  "AWS::S3::Bucket StorageBucket5CB7C8EA",
  "AWS::MSK::Cluster KafkaCluster21A1BE89",
  "AWS::ElastiCache::ReplicationGroup RedisGroup88ACAA33",
  "AWS::SecretsManager::Secret RedisPasswordapi058BBFB1",
  "AWS::SecretsManager::Secret RedisPasswordcloneworkerBAFDDC5E",
  "AWS::SecretsManager::Secret RedisPasswordbuildworkerAC9A8783",
  "AWS::SecretsManager::Secret RedisPasswordeventprojectorEDEC439C",
  "AWS::SecretsManager::Secret RedisPasswordtaskwatcherBF624B2C",
  "AWS::SecretsManager::Secret RedisPasswordgitworkerB7CB9B46",
  "AWS::SecretsManager::Secret RedisPasswordreleaser80C49D95",
  "AWS::SecretsManager::Secret RedisPasswordlogstreamer6B103969",
  "AWS::SecretsManager::Secret RedisPasswordwebsocket46185356",
  "AWS::SecretsManager::Secret Tokens1180AAEA",
  "AWS::SecretsManager::Secret DataKey17AFBB84",
  "AWS::SecretsManager::Secret EventSigningFC854165",
  "AWS::ECR::Repository Repositoriesfrontendbuilder1839C30459",
  "AWS::ECR::Repository Repositoriesbuildertask20image9B39AC87",
  "AWS::ECR::Repository Repositoriesfrontendbuilder224B01B870",
  "AWS::ECR::Repository Repositoriesfrontendbuilder24D712A0F9",
  "AWS::ECR::Repository Repositoriesbackendbuildworker7077189B",
  "AWS::ECR::Repository RepositoriesUserImagesBB17A0B8",
]
`);
});

describe('differences of stage local', () => {
  test('are these and no others', () => {
    const types = (t: typeof templates) =>
      new Set(Object.values(t).flatMap((s) => Object.values(s.Resources).map((r) => r.Type)));
    const dev = types(synthesize('dev').templates);
    const local = types(synthesize('local').templates);
    expect([...local].filter((t) => !dev.has(t))).toEqual([]);
    expect([...dev].filter((t) => !local.has(t)).sort()).toMatchInlineSnapshot(`
[
  "AWS::ApiGateway::Deployment",
  "AWS::ApiGateway::Method",
  "AWS::ApiGateway::Resource",
  "AWS::ApiGateway::RestApi",
  "AWS::ApiGateway::Stage",
  "AWS::CloudFront::CachePolicy",
  "AWS::CloudFront::Distribution",
  "AWS::CloudFront::Function",
  "AWS::CloudFront::KeyValueStore",
  "AWS::CloudFront::OriginAccessControl",
  "AWS::CloudFront::ResponseHeadersPolicy",
  "AWS::CodeBuild::Project",
  "AWS::EC2::EIP",
  "AWS::EC2::FlowLog",
  "AWS::EC2::InternetGateway",
  "AWS::EC2::NatGateway",
  "AWS::EC2::Route",
  "AWS::EC2::SecurityGroupEgress",
  "AWS::EC2::SecurityGroupIngress",
  "AWS::EC2::VPCGatewayAttachment",
  "AWS::ElastiCache::ParameterGroup",
  "AWS::ElastiCache::ReplicationGroup",
  "AWS::ElastiCache::SubnetGroup",
  "AWS::ElastiCache::User",
  "AWS::ElastiCache::UserGroup",
  "AWS::MSK::Cluster",
  "AWS::MSK::Configuration",
  "Custom::AWS",
  "Custom::CDKContainerImageBuild",
  "Custom::DashboardFiles",
  "Custom::KafkaTopics",
  "Custom::S3AutoDeleteObjects",
]
`);
  });
});

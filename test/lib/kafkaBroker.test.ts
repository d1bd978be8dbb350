import { type Synthesized, synthesize, type Template } from './support/synth.ts';

// biome-ignore lint/suspicious/noExplicitAny: properties of many types of resources, looked at one by one
type Properties = { readonly id: string } & Record<string, any>;
const ofType = ({ Resources }: Template, type: string): Properties[] =>
  Object.entries(Resources).flatMap(([id, r]) => (r.Type === type ? [{ id, ...r.Properties }] : []));
const onlyOne = (template: Template, type: string): Properties => {
  const [found, ...more] = ofType(template, type);
  expect(more).toEqual([]);
  return found as Properties;
};

let starter: Synthesized;
beforeAll(() => {
  starter = synthesize('starter');
});

test('one instance at a time, the old one before the new one, and the deployment waits for its broker', () => {
  const { Resources } = starter.templates.Data;
  const group = onlyOne(starter.templates.Data, 'AWS::AutoScaling::AutoScalingGroup');
  expect([group.MinSize, group.MaxSize, group.VPCZoneIdentifier.length]).toEqual(['1', '1', 1]);
  expect(Resources[group.id]).toMatchObject({
    CreationPolicy: { ResourceSignal: { Count: 1 } },
    UpdatePolicy: {
      AutoScalingRollingUpdate: { MinInstancesInService: 0, MaxBatchSize: 1, WaitOnResourceSignals: true },
    },
  });
  const [topics] = Object.entries(Resources).filter(([, r]) => r.Type === 'Custom::KafkaTopics');
  expect(topics?.[1].DependsOn).toContain(group.id);
});

test('its name goes with the stack: the instance first, then what CloudFormation knows is written into the record', () => {
  const { Resources } = starter.templates.Data;
  const record = onlyOne(starter.templates.Data, 'AWS::Route53::RecordSet');
  expect(record).toMatchObject({
    Name: 'kafka.veren-starter.internal.',
    Type: 'A',
    ResourceRecords: ['192.0.2.1'],
    TTL: '10',
  });
  const restores = ofType(starter.templates.Data, 'Custom::AWS').filter(({ id }) => /NameRestore/.test(id));
  const [restore] = restores as [Properties];
  expect([restores.length, restore.Create, restore.Update]).toEqual([1, undefined, undefined]);
  expect(JSON.stringify(restore.Delete).replaceAll('\\"', '"')).toContain(
    '{"Action":"UPSERT","ResourceRecordSet":{"Name":"kafka.veren-starter.internal","Type":"A","TTL":10,"ResourceRecords":[{"Value":"192.0.2.1"}]}}',
  );
  expect(Resources[restore.id]?.DependsOn).toContain(record.id);
  const group = onlyOne(starter.templates.Data, 'AWS::AutoScaling::AutoScalingGroup');
  expect(Resources[group.id]?.DependsOn).toEqual(expect.arrayContaining([record.id, restore.id]));
});

test('nothing leads to the instance but one port, from functions and builders', () => {
  const { Network, Data } = starter.templates;
  const kafka = ofType(Network, 'AWS::EC2::SecurityGroup').find((g) => /NetworkKafka/.test(g.id));
  expect(kafka?.SecurityGroupIngress).toBeUndefined();
  const into = ofType(Network, 'AWS::EC2::SecurityGroupIngress').filter((r) =>
    JSON.stringify(r.GroupId).includes(kafka?.id as string),
  );
  expect(into.map((r) => [r.FromPort, r.ToPort])).toEqual([
    [9_094, 9_094],
    [9_094, 9_094],
  ]);
  expect(into.map((r) => JSON.stringify(r.SourceSecurityGroupId)).toSorted()).toEqual([
    expect.stringMatching(/NetworkBuilders\w+"/),
    expect.stringMatching(/NetworkFunctions/),
  ]);
  const { LaunchTemplateData: template } = onlyOne(Data, 'AWS::EC2::LaunchTemplate');
  expect(template).toMatchObject({
    InstanceType: 't4g.small',
    MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
    BlockDeviceMappings: [{ Ebs: { Encrypted: true } }],
  });
  expect(template.SecurityGroupIds).toHaveLength(1);
  expect(template.KeyName ?? template.NetworkInterfaces).toBeUndefined();
});

test('its disk is encrypted, outlives instance and stack, and has snapshots', () => {
  const { Data } = starter.templates;
  const volume = onlyOne(Data, 'AWS::EC2::Volume');
  expect(volume).toMatchObject({ Encrypted: true, Size: 8, VolumeType: 'gp3' });
  expect(Data.Resources[volume.id]?.DeletionPolicy).toBe('RetainExceptOnCreate');
  const { PolicyDetails } = onlyOne(Data, 'AWS::DLM::LifecyclePolicy');
  expect(PolicyDetails.TargetTags).toEqual(volume.Tags.filter((t: { Key: string }) => t.Key === 'Name'));
  const restored = synthesize('starter', {
    configure: (s) => Object.assign(s.kafka as object, { restoreFrom: 'snap-0123456789abcdef0' }),
  });
  expect(onlyOne(restored.templates.Data, 'AWS::EC2::Volume').SnapshotId).toBe('snap-0123456789abcdef0');
});

test('what it starts with fits, and holds neither a password nor a key', () => {
  const { Data } = starter.templates;
  const { LaunchTemplateData: template } = onlyOne(Data, 'AWS::EC2::LaunchTemplate');
  const parts = template.UserData['Fn::Base64']['Fn::Join'][1] as (string | object)[];
  const text = parts.map((part) => (typeof part === 'string' ? part : 'x'.repeat(120))).join('');
  // EC2: 16 KB before it is encoded.
  expect(text.length).toBeLessThan(16_000);
  expect(JSON.stringify(template.UserData)).not.toMatch(/resolve:secretsmanager|PRIVATE KEY/);
  const logins = ofType(Data, 'AWS::SecretsManager::Secret').filter((s) => /Login/.test(s.id));
  expect(logins.map((s) => JSON.parse(s.GenerateSecretString.SecretStringTemplate).username)).toEqual([
    'platform',
    'builders',
  ]);
});

test('the projector reads it by TLS and SCRAM without pollers that cost, and knows that whole batches come again', () => {
  const { Pipeline } = starter.templates;
  const mappings = ofType(Pipeline, 'AWS::Lambda::EventSourceMapping');
  expect(mappings).toHaveLength(3);
  for (const mapping of mappings) {
    expect(mapping.SelfManagedEventSource.Endpoints.KafkaBootstrapServers).toEqual([
      'kafka.veren-starter.internal:9094',
    ]);
    const types = mapping.SourceAccessConfigurations.map(({ Type }: { Type: string }) => Type);
    expect(types).toEqual(expect.arrayContaining(['SASL_SCRAM_512_AUTH', 'SERVER_ROOT_CA_CERTIFICATE', 'VPC_SUBNET']));
    for (const key of [
      'ProvisionedPollerConfig',
      'FunctionResponseTypes',
      'BisectBatchOnFunctionError',
      'MaximumRetryAttempts',
    ])
      expect(mapping[key]).toBeUndefined();
  }
  const redelivery = (s: Synthesized) =>
    ofType(s.templates.Pipeline, 'AWS::Lambda::Function').find((f) => /-event-projector$/.test(f.FunctionName))
      ?.Environment.Variables.REDELIVERY;
  expect([redelivery(starter), redelivery(synthesize('dev'))]).toEqual(['batch', 'messages']);
});

test('stages dev and prod have MSK and no broker of their own', () => {
  for (const stage of ['dev', 'prod'] as const) {
    const { Data } = synthesize(stage).templates;
    expect(ofType(Data, 'AWS::MSK::Cluster')).toHaveLength(1);
    expect(ofType(Data, 'AWS::AutoScaling::AutoScalingGroup')).toEqual([]);
  }
});

test('other DNS servers do not know its name', () => {
  const configure = (s: Record<string, unknown>) => Object.assign(s.network as object, { dnsServers: ['10.9.0.2/32'] });
  expect(() => synthesize('starter', { configure })).toThrow(
    /stages\.starter\.network\.dnsServers .* nothing with kafka\.kind "broker"/,
  );
});

import { CfnResource } from 'aws-cdk-lib';
import { CfnTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import type { VerenStacks } from '../../lib/app.ts';
import { STACKS, type StackId, type Synthesized, synthesize, type Template } from './support/synth.ts';

/**
 * CloudFormation refuses to change or remove an export while another stack imports it, and producers are deployed before
 * consumers. So whatever may change or go must not be exported.
 */

/** Properties that CloudFormation changes without another id, of what is exported. Source: the CloudFormation registry. */
const IN_PLACE: Readonly<Record<string, readonly string[]>> = {
  'AWS::EC2::SecurityGroup': ['SecurityGroupEgress', 'SecurityGroupIngress'],
  'AWS::EC2::Subnet': ['MapPublicIpOnLaunch'],
};
/** What a change of this repository drops or makes anew. */
const PASSING = /^(AWS::Lambda::Function|AWS::ECS::TaskDefinition|AWS::MSK::Cluster|AWS::ElastiCache::.*|Custom::.*)$/;

/** Exports of the first version that the second one could not be deployed over. */
function brokenExports(before: Synthesized, after: Synthesized): string[] {
  return STACKS.flatMap((stack) => {
    const outputs = Object.entries(before.templates[stack].Outputs ?? {});
    return outputs.flatMap(([id, { Value, Export }]) => {
      if (!Export || !isImported(before, stack, Export.Name)) return [];
      const then = after.templates[stack].Outputs?.[id];
      if (then?.Export?.Name !== Export.Name) return [`${stack} exports ${id} no longer`];
      if (JSON.stringify(then.Value) !== JSON.stringify(Value)) return [`${stack} exports ${id} with another value`];
      return resourceFaults(before.templates[stack], after.templates[stack], Value).map((f) => `${stack}: ${id}: ${f}`);
    });
  });
}

function isImported({ templates }: Synthesized, producer: StackId, name: string): boolean {
  const wanted = JSON.stringify({ 'Fn::ImportValue': name });
  return STACKS.some((stack) => stack !== producer && JSON.stringify(templates[stack]).includes(wanted));
}

function resourceFaults(before: Template, after: Template, value: unknown): string[] {
  const text = JSON.stringify(value);
  return Object.keys(before.Resources)
    .filter((id) => text.includes(`"Ref":"${id}"`) || text.includes(`"Fn::GetAtt":["${id}"`))
    .flatMap((id) => {
      const [a, b] = [before.Resources[id], after.Resources[id]];
      if (!a || !b) return [`${id} goes`];
      if (PASSING.test(a.Type)) return [`${id} is a ${a.Type}`];
      const keys = new Set([...Object.keys(a.Properties ?? {}), ...Object.keys(b.Properties ?? {})]);
      return [...keys]
        .filter((key) => JSON.stringify(a.Properties?.[key]) !== JSON.stringify(b.Properties?.[key]))
        .filter((key) => key !== 'Tags' && !IN_PLACE[a.Type]?.includes(key))
        .map((key) => `${id} changes its ${key}`);
    });
}

type Json = Record<string, Record<string, unknown>>;
const given = (stage: Json) => {
  stage.kafka = { kind: 'given', brokers: 'kafka.example:9096', security: 'tls', peers: ['10.9.0.0/16'] };
  stage.redis = { kind: 'given', url: 'redis://redis.example:6379' };
  stage.sites = { kind: 'none', urlTemplate: 'https://{projectId}.example.com' };
};
const resized = (stage: Json) => {
  const size = { cpu: 8_192, memoryMiB: 32_768, ephemeralStorageGiB: 100, timeoutMinutes: 50 };
  Object.assign(stage.builders as object, { frontend: size, backend: size, spot: true });
  Object.assign(stage.kafka as object, { brokers: 6, partitions: 12, storageGiB: 500 });
  Object.assign(stage.redis as object, { nodeType: 'cache.r7g.large', replicas: 2 });
  Object.assign(stage, { functions: { architecture: 'x86_64', tracing: true }, tags: { team: 'x' } });
  (stage.network as Record<string, unknown>).closedToBuilds = ['203.0.113.0/24'];
};
/** Other images of every builder, as another Dockerfile or script makes them. */
const otherImages = ({ builders }: VerenStacks) => {
  for (const child of builders.node.findAll()) {
    if (child instanceof CfnTaskDefinition)
      child.addPropertyOverride('ContainerDefinitions.0.Image', 'registry/other:1');
    else if (CfnResource.isCfnResource(child) && child.cfnResourceType === 'Custom::CDKContainerImageBuild')
      child.addPropertyOverride('imageTag', 'other');
  }
};

const prod = synthesize('prod');

test('every image, size and number can change', () => {
  expect(brokenExports(prod, synthesize('prod', { configure: resized as never, change: otherImages }))).toEqual([]);
});

test('own Kafka, Redis and sites can become given ones, and back', () => {
  const other = synthesize('prod', { configure: given as never });
  expect(brokenExports(prod, other)).toEqual([]);
  expect(brokenExports(other, prod)).toEqual([]);
});

test('NAT gateways can go and come back', () => {
  const without = synthesize('prod', {
    configure: ((stage: Json) => Object.assign(stage.network as object, { natGateways: 0 })) as never,
  });
  expect(brokenExports(prod, without)).toEqual([]);
  expect(brokenExports(without, prod)).toEqual([]);
});

test('one broker can become MSK, and back', () => {
  const [one, msk] = [
    synthesize('starter'),
    synthesize('starter', {
      configure: ((stage: Json) => {
        stage.kafka = { kind: 'msk', instanceType: 'kafka.m7g.large', brokers: 2 };
        stage.projector = { pollers: { min: 1, max: 3 } };
      }) as never,
    }),
  ];
  expect(brokenExports(one, msk)).toEqual([]);
  expect(brokenExports(msk, one)).toEqual([]);
});

test('clusters, families and repositories can get other names', () => {
  const configure = (stage: Json) => {
    stage.userImageRepository = 'other-backend' as never;
    Object.assign(stage.builders as object, {
      frontendCluster: 'other',
      backendCluster: 'other-backend',
      namePrefix: 'other-',
    });
  };
  expect(brokenExports(prod, synthesize('prod', { configure: configure as never }))).toEqual([]);
});

test('something is exported and imported at all, so these tests can fail', () => {
  const count = STACKS.flatMap((stack) =>
    Object.values(prod.templates[stack].Outputs ?? {}).filter(
      (o) => o.Export && isImported(prod, stack, o.Export.Name),
    ),
  ).length;
  expect(count).toBeGreaterThan(5);
});

describe('mistakes that are found', () => {
  const changed = (change: (s: Synthesized) => void): Synthesized => {
    const copy = structuredClone(prod);
    change(copy);
    return copy;
  };
  /** As an export of a revision's ARN was, which another stack imports. */
  const withRevision = (image: string) =>
    changed(({ templates }) => {
      const [id, task] = Object.entries(templates.Builders.Resources).find(
        ([, r]) => r.Type === 'AWS::ECS::TaskDefinition',
      ) as [string, Template['Resources'][string]];
      task.Properties.ContainerDefinitions[0].Image = image;
      templates.Builders.Outputs = {
        ...templates.Builders.Outputs,
        Task: { Value: { Ref: id }, Export: { Name: 'task' } },
      };
      (templates.Pipeline.Resources.Reader as unknown) = {
        Type: 'X',
        Properties: { Task: { 'Fn::ImportValue': 'task' } },
      };
    });
  test('the ARN of a task definition’s revision', () => {
    expect(brokenExports(withRevision('a:1'), withRevision('a:2')).join()).toMatch(/is a AWS::ECS::TaskDefinition/);
  });
  test('an export that goes, and one with another value', () => {
    const gone = changed(({ templates }) => {
      const first = Object.entries(templates.Network.Outputs ?? {})[0]?.[0] as string;
      delete templates.Network.Outputs?.[first];
    });
    expect(brokenExports(prod, gone).join()).toMatch(/no longer/);
    const group = changed(({ templates }) => {
      for (const r of Object.values(templates.Network.Resources))
        if (r.Type === 'AWS::EC2::SecurityGroup') r.Properties.GroupDescription = 'another';
    });
    expect(brokenExports(prod, group).join()).toMatch(/changes its GroupDescription/);
  });
});

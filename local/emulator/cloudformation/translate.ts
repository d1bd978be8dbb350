import { type Json, mapIntrinsics, type Resource, type Template } from './template.ts';

/**
 * What the emulator does not understand in our templates, said in the way that it does: the same thing with the same
 * effect. Nothing else of a template is changed.
 */
export function translateForEmulator(template: Template): Template {
  const Resources = Object.entries(template.Resources).map(([id, resource]) => [id, translateResource(resource)]);
  return { ...template, Resources: Object.fromEntries(Resources) };
}

function translateResource(resource: Resource): Resource {
  const { Properties } = resource;
  if (resource.Type === 'AWS::ApiGatewayV2::Integration' && Properties?.IntegrationUri)
    return { ...resource, Properties: { ...Properties, IntegrationUri: functionArnOf(Properties.IntegrationUri) } };
  if (resource.Type === 'AWS::CloudFront::Distribution' && Properties?.DistributionConfig)
    return { ...resource, Properties: { ...Properties, DistributionConfig: withFirstOrigin(Properties) } };
  if (resource.Type === 'AWS::CloudFront::Function' && typeof Properties?.FunctionCode === 'string')
    // As the service's own API gets it, and gives it back.
    return { ...resource, Properties: { ...Properties, FunctionCode: toBase64(Properties.FunctionCode) } };
  if (POLICIES.has(resource.Type) && Properties?.PolicyDocument)
    return { ...resource, Properties: { ...Properties, PolicyDocument: translatePolicy(Properties.PolicyDocument) } };
  return resource;
}

const POLICIES = new Set(['AWS::IAM::Policy', 'AWS::S3::BucketPolicy']);

/** What the emulator would deny wrongly. */
function translatePolicy(document: Json): Json {
  const { Statement, ...rest } = document as { Statement: Json };
  return { ...rest, Statement: [Statement].flat().flatMap((it) => translateStatement(it as Statement)) };
}

type Statement = { [key: string]: Json };

function translateStatement(statement: Statement): Statement[] {
  const { Condition, Resource, ...others } = statement;
  const actions = [statement.Action ?? []].flat();
  if (actions.includes('iam:CreateServiceLinkedRole')) {
    // It asks for this on `aws-service-role/<service>`, without the role's name, and has no key `iam:AWSServiceName`.
    const text = JSON.stringify(Resource).replaceAll(/(:role\/aws-service-role\/[\w.]+)\/\w+"/g, '$1"');
    return [{ ...others, Resource: JSON.parse(text) as Json }];
  }
  // It asks for the name of the call, which is no action at AWS.
  if (actions.includes('s3:ListBucket')) return [{ ...statement, Action: [...actions, 's3:ListObjectsV2'] }];
  // For many objects at once it asks for the name of the call, on the bucket.
  if (statement.Effect === 'Allow' && actions.includes('s3:DeleteObject')) {
    const { Sid: _, ...unnamed } = others; // names are unique in a policy
    return [withSessionsOf(roleOf(statement), statement), { ...unnamed, Action: ['s3:DeleteObjects'], Resource: '*' }];
  }
  // Its requests come from no VPC.
  if (statement.Effect === 'Deny' && JSON.stringify(Condition ?? {}).includes('"aws:SourceVpc"')) return [];
  return [withSessionsOf(roleOf(statement), statement)];
}

/** The logical id of the role that a resource's policy allows something. */
function roleOf({ Effect, Principal }: Statement): string | undefined {
  if (Effect !== 'Allow' || typeof Principal !== 'object') return undefined;
  const { AWS } = (Principal ?? {}) as Statement;
  const [id, attribute] = (((AWS ?? {}) as Statement)['Fn::GetAtt'] as Json[] | undefined) ?? [];
  return attribute === 'Arn' ? String(id) : undefined;
}

/** It compares the role's ARN with the session's, which AWS takes for one of the role. */
function withSessionsOf(role: string | undefined, statement: Statement): Statement {
  if (role === undefined) return statement;
  // Of the ARN, since a `Ref` of a role within a policy is its ARN there, not its name.
  const name = { 'Fn::Select': [1, { 'Fn::Split': [':role/', { 'Fn::GetAtt': [role, 'Arn'] }] }] };
  const parts = ['arn:aws:sts::', { Ref: 'AWS::AccountId' }, ':assumed-role/', name, '/*'];
  const { StringLike, ...others } = (statement.Condition ?? {}) as Statement;
  const sessions = { ...(StringLike as Statement), 'aws:PrincipalArn': { 'Fn::Join': ['', parts] } };
  return { ...statement, Principal: { AWS: '*' }, Condition: { ...others, StringLike: sessions } };
}

const toBase64 = (text: string) => Buffer.from(text).toString('base64');

/** A function by its ARN instead of `arn:…:lambda:path/2015-03-31/functions/<ARN>/invocations`, as HTTP APIs have it. */
function functionArnOf(uri: Json): Json {
  return mapIntrinsics(uri, (name, argument) => {
    if (name !== 'Fn::Join' || !Array.isArray(argument)) return undefined;
    const parts = argument[1] as Json[];
    const before = parts.findIndex((part) => String(part).endsWith(':lambda:path/2015-03-31/functions/'));
    return before < 0 ? undefined : parts[before + 1];
  });
}

/** The first origin of a group in the place of the group, which the emulator's data plane does not look for. */
function withFirstOrigin({ DistributionConfig }: NonNullable<Resource['Properties']>): Json {
  // biome-ignore lint/suspicious/noExplicitAny: CloudFormation's form of it
  const config = DistributionConfig as any;
  const behavior = config.DefaultCacheBehavior;
  const group = config.OriginGroups?.Items?.find(({ Id }: { Id: string }) => Id === behavior.TargetOriginId);
  if (!group) return config;
  return {
    ...config,
    DefaultCacheBehavior: { ...behavior, TargetOriginId: group.Members.Items[0].OriginId },
  };
}

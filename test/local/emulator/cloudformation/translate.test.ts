import { translateForEmulator } from '../../../../local/emulator/cloudformation/translate.ts';

const ROLE_NAME = { 'Fn::Select': [1, { 'Fn::Split': [':role/', { 'Fn::GetAtt': ['Role', 'Arn'] }] }] };

const ARN = { 'Fn::GetAtt': ['Push', 'Arn'] };

it('names the function of a WebSocket integration by its ARN', () => {
  const parts = ['arn:aws:apigateway:ap-south-1:lambda:path/2015-03-31/functions/', ARN, '/invocations'];
  const Properties = { ApiId: 'api', IntegrationUri: { 'Fn::Join': ['', parts] } };
  const template = { Resources: { Connect: { Type: 'AWS::ApiGatewayV2::Integration', Properties } } };
  expect(translateForEmulator(template)).toEqual({
    Resources: {
      Connect: { Type: 'AWS::ApiGatewayV2::Integration', Properties: { ApiId: 'api', IntegrationUri: ARN } },
    },
  });
});

it('leads a behavior to the first origin of its group', () => {
  const group = { Id: 'group', Members: { Items: [{ OriginId: 'files' }, { OriginId: 'function' }] } };
  const DistributionConfig = { DefaultCacheBehavior: { TargetOriginId: 'group' }, OriginGroups: { Items: [group] } };
  const template = {
    Resources: { Sites: { Type: 'AWS::CloudFront::Distribution', Properties: { DistributionConfig } } },
  };
  expect(translateForEmulator(template).Resources.Sites!.Properties).toEqual({
    DistributionConfig: { ...DistributionConfig, DefaultCacheBehavior: { TargetOriginId: 'files' } },
  });
});

it('says in the way of the emulator which service-linked roles may be made, and changes no other statement', () => {
  const Resource = (name: string) => ({ 'Fn::Join': ['', ['arn:aws:iam::1', `:role/aws-service-role/${name}`]] });
  const Condition = { StringEquals: { 'iam:AWSServiceName': 'ecs.amazonaws.com' } };
  const linked = { Effect: 'Allow', Action: 'iam:CreateServiceLinkedRole' };
  const other = { Effect: 'Allow', Action: 'iam:PassRole', Resource: Resource('ecs.amazonaws.com/Name'), Condition };
  const Statement = [other, { ...linked, Resource: Resource('ecs.amazonaws.com/AWSServiceRoleForECS'), Condition }];
  const Properties = { PolicyDocument: { Version: '2012-10-17', Statement } };
  const template = { Resources: { Policy: { Type: 'AWS::IAM::Policy', Properties } } };
  expect(translateForEmulator(template as never).Resources.Policy!.Properties).toEqual({
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [other, { ...linked, Resource: Resource('ecs.amazonaws.com') }],
    },
  });
});

it.each([
  [
    'lists buckets by the name of the call, too',
    { Effect: 'Allow', Action: 's3:ListBucket', Resource: '*' },
    [{ Effect: 'Allow', Action: ['s3:ListBucket', 's3:ListObjectsV2'], Resource: '*' }],
  ],
  [
    'asks for no VPC',
    { Effect: 'Deny', Action: 's3:GetObject', Condition: { StringNotEquals: { 'aws:SourceVpc': 'vpc' } } },
    [],
  ],
  [
    'allows sessions what their role is allowed',
    { Effect: 'Allow', Action: 's3:List*', Principal: { AWS: { 'Fn::GetAtt': ['Role', 'Arn'] } }, Resource: '*' },
    [
      {
        Effect: 'Allow',
        Action: 's3:List*',
        Principal: { AWS: '*' },
        Resource: '*',
        Condition: {
          StringLike: {
            'aws:PrincipalArn': {
              'Fn::Join': ['', ['arn:aws:sts::', { Ref: 'AWS::AccountId' }, ':assumed-role/', ROLE_NAME, '/*']],
            },
          },
        },
      },
    ],
  ],
  [
    'lets remove many objects at once who may remove one',
    { Sid: 'Files', Effect: 'Allow', Action: ['s3:DeleteObject', 's3:PutObject'], Resource: 'arn:aws:s3:::b/*' },
    [
      { Sid: 'Files', Effect: 'Allow', Action: ['s3:DeleteObject', 's3:PutObject'], Resource: 'arn:aws:s3:::b/*' },
      { Effect: 'Allow', Action: ['s3:DeleteObjects'], Resource: '*' },
    ],
  ],
  [
    'changes no principal that is a service',
    { Effect: 'Allow', Action: 's3:GetObject', Principal: { Service: 'cloudfront.amazonaws.com' }, Resource: '*' },
    [{ Effect: 'Allow', Action: 's3:GetObject', Principal: { Service: 'cloudfront.amazonaws.com' }, Resource: '*' }],
  ],
  [
    'keeps other denials',
    { Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    [{ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
  ],
])('%s', (_, statement, translated) => {
  const policy = (Statement: object[]) => ({
    Resources: { Policy: { Type: 'AWS::S3::BucketPolicy', Properties: { PolicyDocument: { Statement } } } },
  });
  expect(translateForEmulator(policy([statement]) as never)).toEqual(policy(translated));
});

it("gives the code of CloudFront's functions as their own API gets it", () => {
  const code = (FunctionCode: string) => ({
    Resources: { Edge: { Type: 'AWS::CloudFront::Function', Properties: { Name: 'edge', FunctionCode } } },
  });
  expect(translateForEmulator(code('function handler() {}'))).toEqual(code('ZnVuY3Rpb24gaGFuZGxlcigpIHt9'));
});

it('changes nothing else', () => {
  const template = { Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'b' } } } };
  expect(translateForEmulator(template)).toEqual(template);
});

import { type CfnResource, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type { Project } from 'aws-cdk-lib/aws-codebuild';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { ContainerImageBuild, type ContainerImageBuildProps } from 'deploy-time-build';
import { acknowledge } from './acknowledge.ts';
import type { StageSettings } from './stage-settings.ts';

/** Names that deploy-time-build gives to the two things that it makes once per stack. */
const TRIGGER = /^DeployTimeBuildCustomResourceHandler/;
const PROJECT = /^ContainerImageBuild(Amd64|Arm64)/;

/**
 * An image that is built when the stack is deployed. deploy-time-build makes one CodeBuild project and one small function
 * per stack; the first image of a stack gives those their log groups and answers cdk-nag's questions about them.
 */
export function imageBuild(
  scope: Construct,
  id: string,
  settings: StageSettings,
  props: ContainerImageBuildProps,
): ContainerImageBuild {
  const stack = Stack.of(scope);
  const before = new Set(stack.node.children);
  const build = new ContainerImageBuild(scope, id, props);
  for (const child of stack.node.children.filter((c) => !before.has(c))) {
    if (TRIGGER.test(child.node.id)) tameTrigger(child as Construct, settings);
    else if (PROJECT.test(child.node.id)) tameProject(child as Project, settings);
  }
  return build;
}

function tameTrigger(trigger: Construct, settings: StageSettings): void {
  const logs = logGroup(trigger, 'trigger', settings);
  // The library has no property for it.
  (trigger.node.defaultChild as CfnResource).addPropertyOverride('LoggingConfig', { LogGroup: logs.logGroupName });
  acknowledge(trigger, {
    'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]':
      'Made by deploy-time-build: writes its log and starts builds of one CodeBuild project.',
    'AwsSolutions-L1': 'The runtime is the library’s choice and moves with its versions.',
  });
}

function tameProject(project: Project, settings: StageSettings): void {
  const stack = Stack.of(project);
  const logs = logGroup(project, 'images', settings);
  logs.grantWrite(project);
  const resource = project.node.defaultChild as CfnResource;
  resource.addPropertyOverride('LogsConfig', { CloudWatchLogs: { Status: 'ENABLED', GroupName: logs.logGroupName } });
  const name = `<${stack.getLogicalId(resource as never)}>`;
  const account = Token.isUnresolved(stack.account) ? '<AWS::AccountId>' : stack.account;
  const here = `${stack.region}:${account}`;
  const assets = `arn:aws:s3:::cdk-hnb659fds-assets-${account}-${stack.region}/*`;
  const copied =
    'CDK’s read grant on the bucket of deployment assets, which holds nothing but build contexts and bundles.';
  acknowledge(project, {
    'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonElasticContainerRegistryPublicReadOnly]':
      'Reads public images only (deploy-time-build): base images from public.ecr.aws.',
    'AwsSolutions-IAM5[Resource::*]': 'ecr:GetAuthorizationToken is given for the registry or not at all.',
    [`AwsSolutions-IAM5[Resource::arn:aws:logs:${here}:log-group:/aws/codebuild/${name}:*]`]:
      'CodeBuild’s default: streams of the project’s own log group.',
    [`AwsSolutions-IAM5[Resource::arn:aws:codebuild:${here}:report-group/${name}-*]`]:
      'CodeBuild’s default: report groups of this project.',
    'AwsSolutions-IAM5[Action::s3:GetBucket*]': copied,
    'AwsSolutions-IAM5[Action::s3:GetObject*]': copied,
    'AwsSolutions-IAM5[Action::s3:List*]': copied,
    [`AwsSolutions-IAM5[Resource::${assets}]`]: copied,
    'AwsSolutions-CB3':
      'Docker builds need privileged mode; the project builds our own Dockerfiles only, never a user’s.',
    'AwsSolutions-CB4': 'The project makes no artifacts; images are encrypted by ECR.',
  });
}

function logGroup(scope: Construct, name: string, settings: StageSettings): LogGroup {
  const stack = Stack.of(scope);
  return new LogGroup(scope, 'Logs', {
    logGroupName: `/veren/${settings.stage}/${stack.node.id.toLowerCase()}-${name}`,
    retention: settings.logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

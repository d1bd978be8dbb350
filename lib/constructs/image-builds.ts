import { ArnFormat, AssetHashType, AssetStaging, type CfnResource, Stack } from 'aws-cdk-lib';
import type { CfnProject, Project } from 'aws-cdk-lib/aws-codebuild';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { ContainerImageBuild, type ContainerImageBuildProps } from 'deploy-time-build';
import { acknowledgeFindings, acknowledgeWildcards } from './acknowledge.ts';
import { stageLogGroup } from './log-group.ts';
import type { StageSettings } from './stage-settings.ts';

/** Names that deploy-time-build gives to the two things that it makes once per stack. */
const TRIGGER = /^DeployTimeBuildCustomResourceHandler/;
const PROJECT = /^ContainerImageBuild(Amd64|Arm64)/;

/**
 * An image that is built when the stack is deployed, tagged with the hash of what it is made of. deploy-time-build makes one
 * CodeBuild project and one small function per stack; the first image of a stack gives those their log groups and answers
 * cdk-nag's questions about them.
 */
export function imageBuild(
  scope: Construct,
  id: string,
  settings: StageSettings,
  props: Omit<ContainerImageBuildProps, 'tag'>,
): ContainerImageBuild {
  const stack = Stack.of(scope);
  const before = new Set(stack.node.children);
  const build = new ContainerImageBuild(scope, id, { ...props, tag: imageTag(scope, id, props) });
  const assets = (build.node.findChild('Source') as Asset).bucket.arnForObjects('*');
  for (const child of stack.node.children.filter((c) => !before.has(c))) {
    if (TRIGGER.test(child.node.id)) tameTrigger(child as Construct, settings);
    else if (PROJECT.test(child.node.id)) tameProject(child as Project, settings, assets);
  }
  return build;
}

/** The hash of the build context and of everything else that makes the image what it is. */
function imageTag(scope: Construct, id: string, props: Omit<ContainerImageBuildProps, 'tag'>): string {
  const { assetHash } = new AssetStaging(scope, `${id}Context`, {
    sourcePath: props.directory,
    assetHashType: AssetHashType.SOURCE,
    ...(props.exclude && { exclude: props.exclude }),
    ...(props.ignoreMode && { ignoreMode: props.ignoreMode }),
    extraHash: JSON.stringify([props.file, props.buildArgs, props.platform?.platform]),
  });
  return assetHash;
}

function tameTrigger(trigger: Construct, settings: StageSettings): void {
  const stack = Stack.of(trigger).node.id.toLowerCase();
  // The group that CDK makes by itself would stay for ever, also after a failed first deployment.
  trigger.node.tryRemoveChild('LogGroup');
  const logs = stageLogGroup(trigger, 'Logs', settings, `/veren/${settings.stage}/${stack}-trigger`);
  // The library has no property for it.
  (trigger.node.defaultChild as CfnResource).addPropertyOverride('LoggingConfig', { LogGroup: logs.logGroupName });
  acknowledgeFindings(trigger, {
    'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]':
      'Made by deploy-time-build: writes its log and starts builds of one CodeBuild project.',
    'AwsSolutions-L1': 'The runtime is the library’s choice and moves with its versions.',
  });
}

function tameProject(project: Project, settings: StageSettings, assets: string): void {
  const stack = Stack.of(project);
  const resource = project.node.defaultChild as CfnProject;
  // The project's name makes the name of its log group, which the message about a failed build links to.
  const projectName = `veren-${settings.stage}-${stack.node.id.toLowerCase()}-images`;
  const logs = stageLogGroup(project, 'Logs', settings, `/aws/codebuild/${projectName}`);
  logs.grantWrite(project);
  resource.name = projectName;
  resource.addPropertyOverride('LogsConfig', { CloudWatchLogs: { Status: 'ENABLED', GroupName: logs.logGroupName } });
  keepImages(resource);
  const copied =
    'CDK’s read grant on the bucket of deployment assets, which holds nothing but build contexts and bundles.';
  acknowledgeFindings(project, {
    'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonElasticContainerRegistryPublicReadOnly]':
      'Reads public images only (deploy-time-build): base images from public.ecr.aws.',
    'AwsSolutions-IAM5[Resource::*]': 'ecr:GetAuthorizationToken is given for the registry or not at all.',
    'AwsSolutions-IAM5[Action::s3:GetBucket*]': copied,
    'AwsSolutions-IAM5[Action::s3:GetObject*]': copied,
    'AwsSolutions-IAM5[Action::s3:List*]': copied,
    'AwsSolutions-CB3':
      'Docker builds need privileged mode; the project builds our own Dockerfiles only, never a user’s.',
    'AwsSolutions-CB4': 'The project makes no artifacts; images are encrypted by ECR.',
  });
  acknowledgeWildcards(
    project,
    [
      stack.formatArn({
        service: 'logs',
        resource: 'log-group',
        resourceName: `/aws/codebuild/${project.projectName}:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
      stack.formatArn({ service: 'codebuild', resource: 'report-group', resourceName: `${project.projectName}-*` }),
    ],
    'CodeBuild’s default: streams of the project’s own log group, report groups of this project.',
  );
  acknowledgeWildcards(project, [assets], copied);
}

/**
 * Tags are hashes and immutable: an existing image (going back, a repeated deployment) is used unchanged, and not built
 * again from base images that have changed since.
 */
function keepImages(project: CfnProject): void {
  const { buildSpec } = project.source as CfnProject.SourceProperty;
  const spec = JSON.parse(Stack.of(project).resolve(buildSpec)) as { phases: { build: { commands: string[] } } };
  const { build } = spec.phases;
  build.commands = [
    'images="--region $repositoryRegion --repository-name $(echo $repositoryUri | cut -d/ -f2-) --image-ids imageTag=$imageTag"',
    'if aws ecr describe-images $images; then echo "This image is there already."; kept=yes; else kept=no; fi',
    ...build.commands.map((command) => `[ "$kept" = yes ] || ${command}`),
  ];
  project.source = { ...(project.source as CfnProject.SourceProperty), buildSpec: JSON.stringify(spec, null, 2) };
}

import { join } from 'node:path';
import { ArnFormat, AssetHashType, DockerImage, type Duration, type Size, Stack } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Effect, type IGrantable, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  DockerImageFunction,
  type FunctionOptions,
  Function as LambdaFunction,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeFindings, acknowledgeWildcards } from './acknowledge.ts';
import { preparedBundle, ROOT, writeBundle } from './bundle.ts';
import { GitFunctionImage } from './git-function-image.ts';
import { stageLogGroup } from './log-group.ts';
import type { StageSettings } from './stage-settings.ts';

export interface FunctionNetwork {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
}

export interface VerenFunctionProps {
  /** Folder under `lambdas/`; its `<name>.lambda.ts` exports `handler`. The function is `veren-<stage>-<name>`. */
  readonly name: string;
  readonly settings: StageSettings;
  readonly description: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  readonly memoryMiB: number;
  /**
   * Subnets to run in.
   * @default - outside the VPC
   */
  readonly network?: FunctionNetwork;
  /**
   * Runs git: packaged as a container image where the stage says so.
   * @default false
   */
  readonly git?: boolean;
  /**
   * Size of /tmp.
   * @default - 512 MiB
   */
  readonly ephemeralStorage?: Size;
  /**
   * Runs at most this many at once.
   * @default - the account's limit
   */
  readonly reservedConcurrency?: number;
  /**
   * Packed with the function, in its folder `files`.
   * @default - nothing
   */
  readonly files?: ReadonlyMap<string, Uint8Array>;
}

/** Rights that the Lambda service needs to put a function into a VPC. */
const INTERFACE_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * A Lambda function with its log group, and a role whose only rights are to write to that log group and to be in the
 * VPC.
 */
export class VerenFunction extends Construct {
  readonly fn: LambdaFunction;
  /** The name itself, without a reference to the function. */
  readonly functionName: string;
  readonly logGroup: LogGroup;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: VerenFunctionProps) {
    super(scope, id);
    const { settings } = props;
    const functionName = `veren-${settings.stage}-${props.name}`;

    this.logGroup = stageLogGroup(this, 'Logs', settings, `/aws/lambda/${functionName}`);
    this.functionName = functionName;
    this.role = this.makeRole(functionName, props);

    const options: FunctionOptions = {
      functionName,
      description: props.description,
      role: this.role,
      logGroup: this.logGroup,
      timeout: props.timeout,
      memorySize: props.memoryMiB,
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
      ...(settings.tracing && { tracing: Tracing.ACTIVE }),
      ...(props.ephemeralStorage && { ephemeralStorageSize: props.ephemeralStorage }),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
      ...(props.network && {
        vpc: props.network.vpc,
        vpcSubnets: props.network.subnets,
        securityGroups: [props.network.securityGroup],
      }),
    };
    const architecture = settings.functionArchitecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64;
    this.fn =
      props.git && settings.gitFunctions === 'image'
        ? new DockerImageFunction(this, 'Function', {
            ...options,
            architecture,
            code: new GitFunctionImage(this, 'Image', { name: props.name, settings }).code,
          })
        : new LambdaFunction(this, 'Function', {
            ...options,
            architecture,
            runtime: Runtime.NODEJS_24_X,
            handler: 'index.handler',
            code: bundledCode(props.name, props.files),
          });
  }

  /** The entry of an environment that names this function, for those who wake it. */
  grantRing(grantee: IGrantable): void {
    // The unqualified ARN only: nobody invokes versions.
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.fn.functionArn] }),
    );
  }

  /**
   * May invoke itself, to continue when its time is over. By name, since the function's ARN depends on its own role.
   */
  grantRingItself(): void {
    const arn = Stack.of(this).formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: this.functionName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.role.addToPrincipalPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [arn] }));
  }

  private makeRole(functionName: string, { network, settings }: VerenFunctionProps): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What ${functionName} may do`,
    });
    this.logGroup.grantWrite(role);
    if (settings.tracing) acknowledgeWildcards(role, ['*'], 'X-Ray takes traces for the account or not at all.');
    if (!network) return role;
    role.addToPolicy(
      new PolicyStatement({
        sid: 'NetworkInterfaces',
        actions: INTERFACE_ACTIONS,
        resources: ['*'],
      }),
    );
    // The Lambda service uses these rights; the function's own code must not. Source: Lambda developer guide, "VPC permissions".
    const stack = Stack.of(this);
    role.addToPolicy(
      new PolicyStatement({
        sid: 'NotFromCode',
        effect: Effect.DENY,
        actions: INTERFACE_ACTIONS,
        resources: ['*'],
        conditions: {
          ArnEquals: {
            'lambda:SourceFunctionArn': stack.formatArn({
              service: 'lambda',
              resource: 'function',
              resourceName: functionName,
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    acknowledgeFindings(role, {
      'AwsSolutions-IAM5[Resource::*]':
        'EC2 has no resource-level rights for the network interfaces that Lambda makes; function code is denied them by lambda:SourceFunctionArn.',
    });
    return role;
  }
}

/** The function's prepared bundle; not needed for stacks that a command does not touch. */
function bundledCode(name: string, files: ReadonlyMap<string, Uint8Array> = new Map()): Code {
  return Code.fromAsset(join(ROOT, 'lambdas', name), {
    // The hash of the bundle, so that a changed comment deploys nothing.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('never-used'),
      local: {
        tryBundle(outputDir) {
          writeBundle(preparedBundle(name), outputDir);
          writeBundle({ files }, join(outputDir, 'files'));
          return true;
        },
      },
    },
  });
}

import { CustomResource, Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { acknowledgeFindings, acknowledgeWildcards } from '../acknowledge.ts';
import { stageLogGroup } from '../log-group.ts';
import type { StageSettings } from '../stage-settings.ts';
import { VerenFunction } from '../veren-function.ts';

/** The dashboard as it was built, ready to be uploaded. */
export interface DashboardBuild {
  /** What the uploading function is packed with, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Changes with the files. */
  readonly version: string;
  /** Content security policies of the two kinds of pages. */
  readonly policies: { readonly dashboard: string; readonly reference: string };
}

export interface DashboardFilesProps {
  readonly settings: StageSettings;
  readonly bucket: IBucket;
  readonly build: DashboardBuild;
}

/**
 * Puts the dashboard's files into its bucket: a function of ours rather than CDK's BucketDeployment, which writes in no
 * order, so that a page could name a script that is not there yet. Files of earlier versions stay, for pages that are
 * open.
 */
export class DashboardFiles extends Construct {
  constructor(scope: Construct, id: string, { settings, bucket, build }: DashboardFilesProps) {
    super(scope, id);
    const uploader = new VerenFunction(this, 'Uploader', {
      name: 'dashboard-files',
      settings,
      description: "Puts the dashboard's files into its bucket when the stack is deployed",
      environment: { BUCKET: bucket.bucketName },
      timeout: Duration.minutes(2),
      memoryMiB: 256,
      files: build.files,
    });
    const objects = bucket.arnForObjects('*');
    uploader.role.addToPolicy(
      new PolicyStatement({ sid: 'Files', actions: ['s3:PutObject', 's3:DeleteObject'], resources: [objects] }),
    );
    uploader.role.addToPolicy(
      new PolicyStatement({ sid: 'FindFiles', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
    );
    acknowledgeWildcards(uploader.role, [objects], 'The bucket holds these files and nothing else.');
    const provider = new Provider(this, 'Provider', {
      onEventHandler: uploader.fn,
      logGroup: stageLogGroup(this, 'ProviderLogs', settings),
    });
    acknowledgeFindings(provider, {
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]':
        "CDK's provider framework: writes its own log and invokes one function.",
      'AwsSolutions-L1': "The runtime is chosen by CDK's provider framework and moves with aws-cdk-lib.",
    });
    acknowledgeWildcards(
      provider,
      [`${uploader.fn.functionArn}:*`],
      "CDK's provider framework may invoke the versions of the one function that it was made for.",
    );
    new CustomResource(this, 'Files', {
      resourceType: 'Custom::DashboardFiles',
      serviceToken: provider.serviceToken,
      properties: { version: build.version, bucket: bucket.bucketName },
    });
  }
}

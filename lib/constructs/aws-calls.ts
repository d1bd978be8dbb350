import { Stack } from 'aws-cdk-lib';
import { AwsCustomResource } from 'aws-cdk-lib/custom-resources';
import type { IConstruct } from 'constructs';
import { acknowledgeFindings } from './acknowledge.ts';

/** Id of the one function that CDK makes per stack for every `AwsCustomResource`. */
const AWS_CALLS = `AWS${AwsCustomResource.PROVIDER_FUNCTION_UUID.replaceAll('-', '')}`;

/** Answers cdk-nag for that function. */
export function acknowledgeAwsCalls(scope: IConstruct): void {
  acknowledgeFindings(Stack.of(scope).node.findChild(AWS_CALLS), {
    'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]':
      "CDK's AwsCustomResource: writes its log, and may make the calls of its policy.",
  });
}

import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Accepts cdk-nag findings on one construct and everything below it. The key is a rule (`AwsSolutions-IAM4`) or one finding
 * of it (`AwsSolutions-IAM5[Resource::*]`); the value is the reason, which a reviewer must be able to check.
 */
export function acknowledge(scope: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(scope).acknowledge({ id, reason });
}

/** Accepts rights on these resources, which hold a `*`. Each is named, so that another one is a finding again. */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources) {
    const id = `AwsSolutions-IAM5[Resource::${flatten(Stack.of(scope).resolve(resource))}]`;
    Validations.of(scope).acknowledge({ id, reason });
  }
}

/** The form in which cdk-nag writes an ARN that has references in it: `arn:aws:s3:::<Bucket>/x`. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  const [key, argument] = Object.entries(value as object)[0] as [string, unknown];
  if (key === 'Ref') return `<${argument}>`;
  if (key === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`;
  if (key === 'Fn::Join') {
    const [delimiter, items] = argument as [string, unknown[]];
    return items.map(flatten).join(delimiter);
  }
  throw new Error(`cannot name ${JSON.stringify(value)} in an acknowledgement`);
}

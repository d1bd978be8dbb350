import { Stack, Validations } from 'aws-cdk-lib';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference.js';
import type { IConstruct } from 'constructs';

/**
 * Accepts cdk-nag findings on one construct and everything below it. The key is a rule (`AwsSolutions-IAM4`) or one finding
 * of it (`AwsSolutions-IAM5[Resource::*]`); the value is the reason, which a reviewer must be able to check.
 */
export function acknowledgeFindings(scope: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(scope).acknowledge({ id, reason });
}

/**
 * Accepts rights on these resources, which hold a `*`. Each is named, in cdk-nag's own way of writing references, so that
 * another one is a finding again.
 */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources) {
    const id = `AwsSolutions-IAM5[Resource::${flattenCfnReference(Stack.of(scope).resolve(resource))}]`;
    Validations.of(scope).acknowledge({ id, reason });
  }
}

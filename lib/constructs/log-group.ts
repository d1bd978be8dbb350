import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { StageSettings } from './stage-settings.ts';

/**
 * A log group with the stage's retention. It always goes with its stack: a named group that stays after a failed first
 * deployment makes every later one fail with "already exists".
 * @param name `/veren/<stage>/…`; without it CloudFormation makes one
 */
export function stageLogGroup(scope: Construct, id: string, settings: StageSettings, name?: string): LogGroup {
  return new LogGroup(scope, id, {
    ...(name !== undefined && { logGroupName: name }),
    retention: settings.logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

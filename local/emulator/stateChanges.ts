import {
  type EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { TaskStateChange } from '../ecs/view.ts';

/**
 * Invokes the functions whose rules match a state change. PutEvents cannot be used, since only ECS may put events with
 * the source `aws.ecs`, as on AWS; the emulator's own matcher checks the deployed patterns.
 */
export async function deliverStateChange(
  { events, lambda }: { readonly events: EventBridgeClient; readonly lambda: LambdaClient },
  change: TaskStateChange,
): Promise<void> {
  const event = JSON.stringify(change);
  const { Rules = [] } = await events.send(new ListRulesCommand({}));
  for (const { Name, EventPattern, State } of Rules) {
    if (!EventPattern || State !== 'ENABLED') continue; // without a pattern it is a schedule
    const { Result } = await events.send(new TestEventPatternCommand({ EventPattern, Event: event }));
    if (!Result) continue;
    const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule: Name }));
    for (const { Arn } of Targets)
      if (Arn?.includes(':lambda:'))
        await lambda.send(new InvokeCommand({ FunctionName: Arn, InvocationType: 'Event', Payload: event }));
  }
}

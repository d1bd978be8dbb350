import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { StageSettings } from './stage-settings.ts';
import type { VerenFunction } from './veren-function.ts';

const RIGHTS = {
  /** Make a topic, and see who has agreed. */
  ask: ['sns:CreateTopic', 'sns:ListSubscriptionsByTopic'],
  send: ['sns:Publish'],
  remove: ['sns:DeleteTopic'],
} as const;

/** Beginning of the topics' ARNs. */
export const mailTopicsArn = (scope: Construct, { stage }: StageSettings): string =>
  Stack.of(scope).formatArn({ service: 'sns', resource: `veren-${stage}-mail-` });

/**
 * The right to topics that notifications are sent by as e-mail, one of each address, made at run time under names that the
 * right ends at. Whoever may ask may subscribe addresses for e-mail, and nothing that runs or is called.
 */
export function grantMails(fn: VerenFunction, settings: StageSettings, rights: readonly (keyof typeof RIGHTS)[]): void {
  const resources = [`${mailTopicsArn(fn, settings)}*`];
  const actions = rights.flatMap((right) => RIGHTS[right]);
  fn.role.addToPolicy(new PolicyStatement({ sid: 'MailTopics', actions, resources }));
  if (rights.includes('ask'))
    fn.role.addToPolicy(
      new PolicyStatement({
        sid: 'AskByMail',
        actions: ['sns:Subscribe'],
        resources,
        conditions: { StringEquals: { 'sns:Protocol': 'email' } },
      }),
    );
  acknowledgeWildcards(fn.role, resources, 'Each address has a topic of its own, made at run time.');
}

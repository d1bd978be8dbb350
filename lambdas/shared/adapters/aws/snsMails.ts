import type { MailPlace, Mails } from '../../notifications/mails.ts';
import { asAwsOutage } from './awsOutage.ts';
import type { MailCalls } from './clients.ts';

/** Source: SNS developer guide, "Key management": made by AWS, without a price of its own; whoever may publish may use it. */
const KEY = 'alias/aws/sns';

/** A topic's rights are those of the functions' roles; it adds that nobody publishes without TLS. */
const policyOf = (topicArn: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'RequireTls',
        Effect: 'Deny',
        Principal: '*',
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  });

/**
 * E-mail by SNS: one topic for each address, so that no mail can reach another's reader, and removing the topic ends a
 * subscription in whatever state it is.
 * @param prefix Beginning of the topics' ARNs, as in `arn:aws:sns:eu-central-1:111122223333:veren-prod-mail-`.
 */
export function snsMails(client: MailCalls, prefix: string): Mails {
  const sdk = () => import('@aws-sdk/client-sns');
  const arnOf = ({ projectId, notificationId }: MailPlace) => `${prefix}${projectId}-${notificationId}`;
  const orUnavailable = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw asAwsOutage('Amazon SNS', error);
    }
  };
  return {
    ask: (place, address) =>
      orUnavailable(async () => {
        const { CreateTopicCommand, SubscribeCommand } = await sdk();
        const TopicArn = arnOf(place);
        const Name = TopicArn.split(':').at(-1);
        const Attributes = { KmsMasterKeyId: KEY, Policy: policyOf(TopicArn), DisplayName: 'Veren' };
        await client.send(new CreateTopicCommand({ Name, Attributes }));
        await client.send(new SubscribeCommand({ TopicArn, Protocol: 'email', Endpoint: address }));
      }),
    send: (place, { subject, text }) =>
      orUnavailable(async () => {
        const { PublishCommand } = await sdk();
        try {
          await client.send(new PublishCommand({ TopicArn: arnOf(place), Subject: subject, Message: text }));
          return true;
        } catch (error) {
          if (isAbsent(error)) return false;
          throw error;
        }
      }),
    state: (place) =>
      orUnavailable(async () => {
        const { ListSubscriptionsByTopicCommand } = await sdk();
        try {
          const { Subscriptions = [] } = await client.send(
            new ListSubscriptionsByTopicCommand({ TopicArn: arnOf(place) }),
          );
          const arns = Subscriptions.map(({ SubscriptionArn = '' }) => SubscriptionArn);
          // Source: SNS developer guide: one that waits is `PendingConfirmation`, one that was left may be `Deleted`.
          if (arns.some((arn) => arn.startsWith('arn:'))) return 'confirmed';
          return arns.includes('PendingConfirmation') ? 'pending' : 'ended';
        } catch (error) {
          if (isAbsent(error)) return 'ended';
          throw error;
        }
      }),
    // Source: SNS API reference, "DeleteTopic": its subscriptions go with it, and without a topic it succeeds.
    remove: (place) =>
      orUnavailable(async () => {
        const { DeleteTopicCommand } = await sdk();
        await client.send(new DeleteTopicCommand({ TopicArn: arnOf(place) }));
      }),
  };
}

const isAbsent = (error: unknown): boolean =>
  ['NotFoundException', 'NotFound'].includes((error as { readonly name?: string }).name ?? '');

import { randomBytes } from 'node:crypto';
import { SNSClient } from '@aws-sdk/client-sns';
import { httpDouble, type Response } from './httpDouble.ts';

interface Subscription {
  readonly address: string;
  state: 'pending' | 'confirmed' | 'left';
}
interface Topic {
  readonly attributes: Readonly<Record<string, string>>;
  readonly subscriptions: Subscription[];
}
export interface SentMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

const ACCOUNT = '111122223333';
export const MAIL_TOPICS = `arn:aws:sns:eu-central-1:${ACCOUNT}:veren-test-mail-`;

/**
 * SNS as far as e-mail needs it, which refuses what SNS refuses: subjects of another form, topics that are not there, other
 * protocols than e-mail. Source: SNS API reference (query protocol).
 */
export async function snsDouble() {
  const topics = new Map<string, Topic>();
  const mails: SentMail[] = [];
  const state = { fault: undefined as Response | undefined };
  const xml = (action: string, result: string): Response => ({
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`,
  });
  const refuse = (status: number, code: string): Response => ({
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`,
  });

  function createTopic(form: URLSearchParams): Response {
    const name = form.get('Name') ?? '';
    if (!/^[\w-]{1,256}$/.test(name)) return refuse(400, 'InvalidParameter');
    const attributes: Record<string, string> = {};
    for (let i = 1; form.has(`Attributes.entry.${i}.key`); i++)
      attributes[form.get(`Attributes.entry.${i}.key`)!] = form.get(`Attributes.entry.${i}.value`)!;
    const arn = `arn:aws:sns:eu-central-1:${ACCOUNT}:${name}`;
    if (!topics.has(arn)) topics.set(arn, { attributes, subscriptions: [] });
    return xml('CreateTopic', `<TopicArn>${arn}</TopicArn>`);
  }

  function subscribe({ subscriptions }: Topic, form: URLSearchParams): Response {
    const address = form.get('Endpoint') ?? '';
    if (form.get('Protocol') !== 'email' || !/^[^\s@]+@[^\s@]+$/.test(address)) return refuse(400, 'InvalidParameter');
    if (!subscriptions.some((one) => one.address === address)) subscriptions.push({ address, state: 'pending' });
    return xml('Subscribe', '<SubscriptionArn>pending confirmation</SubscriptionArn>');
  }

  function publish({ subscriptions }: Topic, form: URLSearchParams): Response {
    const [subject = '', text = ''] = [form.get('Subject') ?? '', form.get('Message') ?? ''];
    if (!/^[\x21-\x7e][\x20-\x7e]{0,98}$/.test(subject) || text === '') return refuse(400, 'InvalidParameter');
    for (const { address, state: stands } of subscriptions)
      if (stands === 'confirmed') mails.push({ to: address, subject, text });
    return xml('Publish', `<MessageId>${randomBytes(8).toString('hex')}</MessageId>`);
  }

  const list = ({ subscriptions }: Topic) =>
    xml(
      'ListSubscriptionsByTopic',
      `<Subscriptions>${subscriptions
        .filter((one) => one.state !== 'left')
        .map((one) => (one.state === 'pending' ? 'PendingConfirmation' : `arn:aws:sns:x:${ACCOUNT}:t:1`))
        .map((arn) => `<member><SubscriptionArn>${arn}</SubscriptionArn></member>`)
        .join('')}</Subscriptions>`,
    );

  function answer(form: URLSearchParams): Response {
    const action = form.get('Action');
    if (action === 'CreateTopic') return createTopic(form);
    const arn = form.get('TopicArn') ?? '';
    if (action === 'DeleteTopic') {
      topics.delete(arn);
      return xml('DeleteTopic', '');
    }
    const topic = topics.get(arn);
    if (!topic) return refuse(404, 'NotFound');
    if (action === 'Subscribe') return subscribe(topic, form);
    if (action === 'Publish') return publish(topic, form);
    return action === 'ListSubscriptionsByTopic' ? list(topic) : refuse(400, 'InvalidAction');
  }

  const server = await httpDouble(({ body }) => state.fault ?? answer(new URLSearchParams(body)));
  const client = new SNSClient({
    ...{ endpoint: server.url, region: 'eu-central-1', maxAttempts: 1 },
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  return {
    ...{ topics, mails, state, client, close: server.close },
    /** The reader has followed a link of a mail. */
    answer(address: string, stands: 'confirmed' | 'left') {
      for (const { subscriptions } of topics.values())
        for (const one of subscriptions) if (one.address === address) one.state = stands;
    },
  };
}

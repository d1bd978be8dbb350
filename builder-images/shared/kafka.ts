import { createHmac } from 'node:crypto';
import type { KafkaConfig, Producer } from 'kafkajs';
import type { KafkaEnv } from '../../contract/kafka-env.ts';
import { MAC_HEADER, macPrefix } from '../../contract/mac.ts';
import { TOPICS, type Topic } from '../../contract/names.ts';
import { kafkaConfig } from '../../lambdas/shared/adapters/kafka/config.ts';
import type { Batch, EventTransport } from './outbox.ts';

export interface BuilderKafkaAccess extends KafkaEnv {
  readonly AWS_REGION: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly AWS_SESSION_TOKEN: string;
  readonly EVENT_SIGNING_KEY?: string | undefined;
}

/** The outbox tries again; kafkajs itself only as often as a change of leader needs. */
const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 };

function configOf(env: BuilderKafkaAccess, clientId: string): KafkaConfig {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  return kafkaConfig(env, { clientId, region: env.AWS_REGION, credentials, retry: RETRY });
}

/** The MAC by which the platform knows that a message is this build's (`contract/mac.ts`). */
const createSigner = (hex: string) => {
  const key = Buffer.from(hex, 'hex');
  return (topic: Topic, value: string) =>
    createHmac('sha256', key).update(macPrefix(topic)).update(value).digest('base64url');
};

/** Sends to the builders' topics, signed, acknowledged by all replicas. Connects at the first message, and again after a failure. */
export function kafkaTransport(env: BuilderKafkaAccess, key: string): EventTransport {
  const sign = env.EVENT_SIGNING_KEY === undefined ? undefined : createSigner(env.EVENT_SIGNING_KEY);
  let producer: Producer | undefined;
  const connectOnce = async () => {
    if (producer) return producer;
    const { Kafka } = await import('./kafka-client.ts');
    const made = new Kafka(configOf(env, `veren-builder-${key}`)).producer({ maxInFlightRequests: 1 });
    await made.connect();
    producer = made;
    return made;
  };
  const forgetProducer = async () => {
    const old = producer;
    producer = undefined;
    await old?.disconnect().catch(() => undefined);
  };
  return {
    async send(batch: Batch) {
      try {
        const signedMessages = (topic: Topic, values: readonly string[]) =>
          values.map((value) => ({ key, value, ...(sign && { headers: { [MAC_HEADER]: sign(topic, value) } }) }));
        await (await connectOnce()).sendBatch({
          acks: -1,
          topicMessages: [
            { topic: TOPICS.buildEvents, messages: signedMessages(TOPICS.buildEvents, batch.events) },
            { topic: TOPICS.logs, messages: signedMessages(TOPICS.logs, batch.logs) },
          ].filter((topic) => topic.messages.length > 0),
        });
      } catch (error) {
        await forgetProducer();
        throw error;
      }
    },
    close: forgetProducer,
  };
}

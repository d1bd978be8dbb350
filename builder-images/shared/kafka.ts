import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { KafkaConfig, Producer } from 'kafkajs';
import type { KafkaEnv } from '../../contract/kafka-env.ts';
import { MAC_HEADER, macPrefix } from '../../contract/mac.ts';
import { TOPICS, type Topic } from '../../contract/names.ts';
import type { Batch, EventTransport } from './outbox.ts';

export interface BuilderKafkaAccess extends KafkaEnv {
  readonly AWS_REGION: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly AWS_SESSION_TOKEN: string;
  readonly EVENT_SIGNING_KEY?: string | undefined;
}

/** MSK IAM: the token is a signed URL, made with the per-build credentials and good for 15 minutes. */
const iamSasl = (env: BuilderKafkaAccess): KafkaConfig['sasl'] => ({
  mechanism: 'oauthbearer',
  oauthBearerProvider: async () => {
    const { generateAuthTokenFromCredentialsProvider } = await import('./kafka-iam.ts');
    const { token } = await generateAuthTokenFromCredentialsProvider({
      region: env.AWS_REGION,
      awsCredentialsProvider: async () => ({
        accessKeyId: env.AWS_ACCESS_KEY_ID,
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
        sessionToken: env.AWS_SESSION_TOKEN,
      }),
    });
    return { value: token };
  },
});

/** kafkajs' settings for `KAFKA_*`. `sasl_plaintext` is SCRAM without TLS, for loopback; `tls`, `scram` and `iam` use TLS, with the CA file's certificates where one is given. */
export function kafkaConfig(env: BuilderKafkaAccess, clientId: string): KafkaConfig {
  const ca = env.KAFKA_CA_FILE === undefined ? undefined : [readFileSync(env.KAFKA_CA_FILE, 'utf8')];
  const scram = {
    mechanism: 'scram-sha-512' as const,
    username: env.KAFKA_USERNAME ?? '',
    password: env.KAFKA_PASSWORD ?? '',
  };
  const usesScram = env.KAFKA_SECURITY === 'scram' || env.KAFKA_SECURITY === 'sasl_plaintext';
  const sasl = usesScram ? scram : env.KAFKA_SECURITY === 'iam' ? iamSasl(env) : undefined;
  return {
    clientId,
    brokers: env.KAFKA_BROKERS.split(',').map((broker) => broker.trim()),
    ssl: env.KAFKA_SECURITY.endsWith('plaintext') ? false : ca === undefined ? true : { ca },
    ...(sasl && { sasl }),
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: 10_000,
    // The outbox tries again; kafkajs itself only as often as a change of leader needs.
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: 0,
  };
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
    const made = new Kafka(kafkaConfig(env, `veren-builder-${key}`)).producer({ maxInFlightRequests: 1 });
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

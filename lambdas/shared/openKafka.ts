import type { Kafka } from 'kafkajs';
import { z } from 'zod';
import type { KafkaEnv } from '../../contract/kafka-env.ts';
import { openSecrets } from './adapters/aws/clients.ts';
import { type KafkaBus, kafkaBus } from './adapters/kafka/bus.ts';
import { systemClock } from './clock.ts';
import type { EventBus } from './ports.ts';
import { secretText } from './secrets.ts';
import { signedBus } from './signing.ts';
import { signingSecret } from './signingSecret.ts';

interface KafkaVariables {
  readonly KAFKA_BROKERS: string;
  readonly KAFKA_SECURITY: KafkaEnv['KAFKA_SECURITY'];
  readonly KAFKA_SECRET_ARN?: string | undefined;
}

const ScramSecretSchema = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** A function's `KAFKA_*` variables as the adapter and the builders take them: SCRAM's password comes from its secret. */
export async function kafkaEnv(env: KafkaVariables): Promise<KafkaEnv> {
  const { KAFKA_BROKERS, KAFKA_SECURITY, KAFKA_SECRET_ARN } = env;
  if (!KAFKA_SECRET_ARN) return { KAFKA_BROKERS, KAFKA_SECURITY };
  const secret = await secretText(openSecrets(), KAFKA_SECRET_ARN);
  const parsed = ScramSecretSchema.safeParse(JSON.parse(secret));
  if (!parsed.success) throw new Error('The secret for Kafka is not {"username", "password"}.');
  const { username: KAFKA_USERNAME, password: KAFKA_PASSWORD } = parsed.data;
  return { KAFKA_BROKERS, KAFKA_SECURITY, KAFKA_USERNAME, KAFKA_PASSWORD };
}

/**
 * A Kafka client; `clientId` is its name in the brokers' logs. The library and MSK's signer are loaded here, so that a
 * function that publishes nothing starts without them.
 */
export async function openKafka(env: KafkaEnv, clientId: string, region: string): Promise<Kafka> {
  const [{ Kafka }, { kafkaConfig }] = await Promise.all([
    import('./adapters/kafka/client.ts'),
    import('./adapters/kafka/config.ts'),
  ]);
  return new Kafka(kafkaConfig(env, { clientId, region }));
}

export const openBus = (env: KafkaEnv, clientId: string, region: string): KafkaBus =>
  kafkaBus(() => openKafka(env, clientId, region));

/** The event bus of a function; its messages carry the platform's MAC. */
export const openSignedBus = (
  kafka: KafkaEnv,
  env: { readonly EVENT_SIGNING_SECRET_ARN: string; readonly AWS_REGION: string },
  clientId: string,
): EventBus =>
  signedBus(
    openBus(kafka, clientId, env.AWS_REGION),
    signingSecret(openSecrets(), env.EVENT_SIGNING_SECRET_ARN, systemClock),
  );

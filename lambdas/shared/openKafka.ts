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
  readonly KAFKA_CA_SECRET_ARN?: string | undefined;
}

const ScramSecretSchema = z.object({ username: z.string().min(1), password: z.string().min(1) });
/** As Lambda's event source has it, too. */
const AuthoritySecretSchema = z.object({ certificate: z.string().min(1) });

/**
 * A function's `KAFKA_*` variables as the adapter and the builders take them: SCRAM's password and the brokers' authority come
 * from their secrets.
 */
export async function kafkaEnv(env: KafkaVariables): Promise<KafkaEnv> {
  const { KAFKA_BROKERS, KAFKA_SECURITY, KAFKA_SECRET_ARN, KAFKA_CA_SECRET_ARN } = env;
  const [login, authority] = await Promise.all([
    KAFKA_SECRET_ARN ? readSecret(KAFKA_SECRET_ARN, ScramSecretSchema, '{"username", "password"}') : undefined,
    KAFKA_CA_SECRET_ARN ? readSecret(KAFKA_CA_SECRET_ARN, AuthoritySecretSchema, '{"certificate"}') : undefined,
  ]);
  return {
    KAFKA_BROKERS,
    KAFKA_SECURITY,
    ...(login && { KAFKA_USERNAME: login.username, KAFKA_PASSWORD: login.password }),
    ...(authority && { KAFKA_CA: authority.certificate }),
  };
}

async function readSecret<S extends z.ZodType>(arn: string, schema: S, form: string): Promise<z.output<S>> {
  const parsed = schema.safeParse(JSON.parse(await secretText(openSecrets(), arn)));
  if (!parsed.success) throw new Error(`The secret for Kafka is not ${form}.`);
  return parsed.data;
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

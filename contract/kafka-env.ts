import { z } from 'zod';

const text = z.string().min(1);

/**
 * Kafka access of builders and functions alike. `iam` and `scram` imply TLS. `sasl_plaintext` is `scram` (SCRAM-SHA-512)
 * without TLS: the laptop's broker, which listens on loopback only and still must not take events from strangers.
 */
export const KafkaEnvSchema = z.object({
  KAFKA_BROKERS: text,
  KAFKA_SECURITY: z.enum(['plaintext', 'tls', 'scram', 'iam', 'sasl_plaintext']).default('plaintext'),
  KAFKA_USERNAME: text.optional(),
  KAFKA_PASSWORD: text.optional(),
  /** The CA certificates to trust instead of the system's, in PEM; comes before the file. */
  KAFKA_CA: text.optional(),
  /** PEM file with the CA certificates to trust instead of the system's. */
  KAFKA_CA_FILE: text.optional(),
});
export type KafkaEnv = z.infer<typeof KafkaEnvSchema>;

import { readFileSync } from 'node:fs';
import { generateAuthToken } from 'aws-msk-iam-sasl-signer-js';
import { type KafkaConfig, logLevel } from 'kafkajs';
import type { KafkaEnv } from '../../../../contract/kafka-env.ts';

export interface KafkaConfigOptions {
  /** Shown in the broker's logs and quotas. */
  readonly clientId: string;
  /** Region of the MSK cluster; used with `KAFKA_SECURITY=iam`. */
  readonly region: string;
}

/**
 * kafkajs settings for a parsed environment. `iam` signs with the process's own AWS credentials (a token lives 15 minutes,
 * and kafkajs asks for a new one before that); `KAFKA_CA_FILE` replaces the system's certificates.
 * @throws Error where `scram` has no user name or password
 */
export function kafkaConfig(env: KafkaEnv, { clientId, region }: KafkaConfigOptions): KafkaConfig {
  const sasl = saslOf(env, region);
  return {
    clientId,
    brokers: env.KAFKA_BROKERS.split(',').map((broker) => broker.trim()),
    ...(env.KAFKA_SECURITY !== 'plaintext' && {
      ssl: env.KAFKA_CA_FILE === undefined ? true : { ca: [readFileSync(env.KAFKA_CA_FILE, 'utf8')] },
    }),
    ...(sasl && { sasl }),
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: 10_000,
    // About five seconds of waiting in all: longer than a change of leader, shorter than a caller's patience.
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6 },
    logLevel: logLevel.NOTHING,
  };
}

function saslOf(env: KafkaEnv, region: string): KafkaConfig['sasl'] {
  if (env.KAFKA_SECURITY === 'iam') {
    return {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({ value: (await generateAuthToken({ region })).token }),
    };
  }
  if (env.KAFKA_SECURITY !== 'scram') return undefined;
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = env;
  if (username === undefined || password === undefined) {
    throw new Error('KAFKA_SECURITY=scram needs KAFKA_USERNAME and KAFKA_PASSWORD.');
  }
  return { mechanism: 'scram-sha-512', username, password };
}

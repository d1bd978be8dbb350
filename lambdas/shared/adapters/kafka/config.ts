import { readFileSync } from 'node:fs';
import type { KafkaConfig } from 'kafkajs';
import type { KafkaEnv } from '../../../../contract/kafka-env.ts';

export interface KafkaConfigOptions {
  /** Shown in the broker's logs and quotas. */
  readonly clientId: string;
  /** Region of the MSK cluster; used with `KAFKA_SECURITY=iam`. */
  readonly region: string;
  /**
   * Keys that the token of `iam` is signed with.
   * @default - the process's own AWS credentials
   */
  readonly credentials?: AccessKeys;
  /** @default - about five seconds of waiting in all: longer than a change of leader, shorter than a caller's patience */
  readonly retry?: KafkaConfig['retry'];
}

interface AccessKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const PATIENT = { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6 };
/** kafkajs' `logLevel.NOTHING`: importing the name would load the library. */
const NO_LOG = 0;

/**
 * kafkajs settings for a parsed environment, of functions and builders alike. A token of `iam` lives 15 minutes, and kafkajs
 * asks for a new one before that; `KAFKA_CA` or `KAFKA_CA_FILE` replaces the system's certificates; `sasl_plaintext` is SCRAM without TLS, for
 * loopback.
 * @throws Error where SCRAM has no user name or password
 */
export function kafkaConfig(env: KafkaEnv, options: KafkaConfigOptions): KafkaConfig {
  const sasl = saslOf(env, options);
  const trusted = env.KAFKA_CA ?? (env.KAFKA_CA_FILE && readFileSync(env.KAFKA_CA_FILE, 'utf8'));
  return {
    clientId: options.clientId,
    brokers: env.KAFKA_BROKERS.split(',').map((broker) => broker.trim()),
    ...(!env.KAFKA_SECURITY.endsWith('plaintext') && {
      ssl: trusted === undefined ? true : { ca: [trusted] },
    }),
    ...(sasl && { sasl }),
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: 10_000,
    retry: options.retry ?? PATIENT,
    logLevel: NO_LOG,
  };
}

function saslOf(env: KafkaEnv, { region, credentials }: KafkaConfigOptions): KafkaConfig['sasl'] {
  if (env.KAFKA_SECURITY === 'iam')
    return {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({ value: await signToken(region, credentials) }),
    };
  if (env.KAFKA_SECURITY !== 'scram' && env.KAFKA_SECURITY !== 'sasl_plaintext') return undefined;
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = env;
  if (username === undefined || password === undefined)
    throw new Error(`KAFKA_SECURITY=${env.KAFKA_SECURITY} needs KAFKA_USERNAME and KAFKA_PASSWORD.`);
  return { mechanism: 'scram-sha-512', username, password };
}

/** MSK's token is a signed URL. Its library is loaded where `iam` is used, and nowhere else. */
async function signToken(region: string, keys: AccessKeys | undefined): Promise<string> {
  const signer = await import('./msk-iam.ts');
  const { token } = keys
    ? await signer.generateAuthTokenFromCredentialsProvider({
        region,
        awsCredentialsProvider: async () => ({ ...keys }),
      })
    : await signer.generateAuthToken({ region });
  return token;
}

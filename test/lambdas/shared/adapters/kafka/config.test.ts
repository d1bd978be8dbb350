import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KafkaEnv, KafkaEnvSchema } from '../../../../../contract/kafka-env.ts';
import { kafkaConfig } from '../../../../../lambdas/shared/adapters/kafka/config.ts';

const config = (env: Partial<Record<keyof KafkaEnv, string>>) =>
  kafkaConfig(KafkaEnvSchema.parse({ KAFKA_BROKERS: 'a:9092', ...env }), { clientId: 'c', region: 'ap-south-1' });

test('brokers are a list', () => {
  expect(config({ KAFKA_BROKERS: 'a:9092, b:9092,c:9092' }).brokers).toEqual(['a:9092', 'b:9092', 'c:9092']);
});

test.each(['plaintext', 'tls', 'scram', 'iam'] as const)('%s: encryption and credentials', (KAFKA_SECURITY) => {
  const { ssl, sasl } = config({ KAFKA_SECURITY, KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p' });
  expect(ssl).toBe(KAFKA_SECURITY === 'plaintext' ? undefined : true);
  if (KAFKA_SECURITY === 'scram') expect(sasl).toEqual({ mechanism: 'scram-sha-512', username: 'u', password: 'p' });
  else if (KAFKA_SECURITY === 'iam') expect(sasl).toMatchObject({ mechanism: 'oauthbearer' });
  else expect(sasl).toBeUndefined();
});

test('sasl_plaintext is SCRAM without TLS', () => {
  const { ssl, sasl } = config({ KAFKA_SECURITY: 'sasl_plaintext', KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p' });
  expect(ssl).toBeUndefined();
  expect(sasl).toEqual({ mechanism: 'scram-sha-512', username: 'u', password: 'p' });
});

test('a CA file replaces the certificates of the system', () => {
  const dir = mkdtempSync(join(tmpdir(), 'veren-ca-'));
  const KAFKA_CA_FILE = join(dir, 'ca.pem');
  writeFileSync(KAFKA_CA_FILE, 'certificates');
  expect(config({ KAFKA_SECURITY: 'tls', KAFKA_CA_FILE }).ssl).toEqual({ ca: ['certificates'] });
  rmSync(dir, { recursive: true });
});

test('scram without credentials is refused, and the message holds no secret', () => {
  expect(() => config({ KAFKA_SECURITY: 'scram', KAFKA_PASSWORD: 'hunter2' })).toThrow(
    /^KAFKA_SECURITY=scram needs KAFKA_USERNAME and KAFKA_PASSWORD\.$/,
  );
});

describe('iam', () => {
  const saved = { ...process.env };
  afterEach(() => {
    process.env = { ...saved };
  });

  test("a token is a URL for the cluster's region, signed with the process's credentials", async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' });
    const { sasl } = config({ KAFKA_SECURITY: 'iam' });
    const { value } = await (sasl as { oauthBearerProvider(): Promise<{ value: string }> }).oauthBearerProvider();
    const url = new URL(Buffer.from(value, 'base64url').toString());
    expect(url.host).toBe('kafka.ap-south-1.amazonaws.com');
    expect(url.searchParams.get('Action')).toBe('kafka-cluster:Connect');
    expect(url.searchParams.get('X-Amz-Credential')).toContain('AKIDEXAMPLE/');
    expect(url.href).not.toContain('secret');
  });

  test('a build signs with its own credentials, whatever those of the process are', async () => {
    const credentials = { accessKeyId: 'AKIDBUILD', secretAccessKey: 's', sessionToken: 't' };
    const env = KafkaEnvSchema.parse({ KAFKA_BROKERS: 'a:9092', KAFKA_SECURITY: 'iam' });
    const { sasl } = kafkaConfig(env, { clientId: 'c', region: 'ap-south-1', credentials });
    const { value } = await (sasl as { oauthBearerProvider(): Promise<{ value: string }> }).oauthBearerProvider();
    const url = new URL(Buffer.from(value, 'base64url').toString());
    expect(url.searchParams.get('X-Amz-Credential')).toContain('AKIDBUILD/');
    expect(url.searchParams.get('X-Amz-Security-Token')).toBe('t');
  });
});

import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { buildKeyInfo, macPrefix, PLATFORM_KEY_INFO } from '../../contract/mac.ts';
import { TOPICS, type Topic } from '../../contract/names.ts';
import type { BuildRef } from '../domain/events.ts';
import type { EventBus } from './ports.ts';

/** The stored secret from which every key is derived: `contract/function-env.ts`, EVENT_SIGNING_SECRET_ARN. */
export const SigningSecretSchema = z.object({
  /** Signs new messages. */
  current: z.string().min(32),
  /** Also accepted while the secret is being changed: the previous secret, or the next one. */
  accepted: z.array(z.string().min(32)).default([]),
});
export type SigningSecret = z.output<typeof SigningSecretSchema>;

export interface Signing extends SigningSecret {
  /**
   * When messages began to be signed (ms since the epoch), by which `unsigned.ts` judges messages of the earlier
   * version. Zero: no unsigned message is accepted.
   */
  readonly since: number;
}

type Build = Pick<BuildRef, 'deploymentId' | 'target' | 'attempt'>;

const deriveKey = (secret: string, info: string) => createHmac('sha256', secret).update(info).digest();
const computeMac = (key: Buffer, topic: Topic, value: string | Buffer) =>
  createHmac('sha256', key).update(macPrefix(topic)).update(value).digest('base64url');

/** The key of one attempt of a build, as EVENT_SIGNING_KEY has it. */
export const buildKey = ({ current }: SigningSecret, build: Build): string =>
  deriveKey(current, buildKeyInfo(build)).toString('hex');

/** The MAC of a message of the platform's own. */
export const signAsPlatform = ({ current }: SigningSecret, topic: Topic, value: string): string =>
  computeMac(deriveKey(current, PLATFORM_KEY_INFO), topic, value);

/**
 * True where the MAC proves the right writer: the platform on `deployment-events`, and on the other topics the build
 * that the message is about.
 * @param value the bytes as they came
 */
export function isSigned(secret: SigningSecret, topic: Topic, value: Buffer, given: string, build?: Build): boolean {
  if (topic !== TOPICS.events && !build) return false;
  const info = topic === TOPICS.events || !build ? PLATFORM_KEY_INFO : buildKeyInfo(build);
  return [secret.current, ...secret.accepted].some((s) =>
    equalInConstantTime(computeMac(deriveKey(s, info), topic, value), given),
  );
}

function equalInConstantTime(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A bus whose messages carry the platform's MAC. */
export const signedBus = (bus: EventBus, secret: () => Promise<SigningSecret>): EventBus => ({
  async publish(topic, messages) {
    const keys = await secret();
    await bus.publish(
      topic,
      messages.map((message) => ({ ...message, mac: signAsPlatform(keys, topic, message.value) })),
    );
  },
});

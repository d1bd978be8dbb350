import type { Target } from './builders.ts';
import type { Topic } from './names.ts';

/**
 * Proves who wrote a message: each carries, in the Kafka header `MAC_HEADER`, a MAC (HMAC-SHA256, base64url) over its
 * topic and its exact bytes. The platform's functions share one key, and each attempt of a build has its own; all are
 * derived from one secret, so that no list of keys has to be stored. docs/decisions/build-events-signed.md
 */
export const MAC_HEADER = 'veren-mac';

/** Hashed before the bytes of the message, so that the MAC of a message is not valid on another topic. */
export const macPrefix = (topic: Topic) => `${topic}\0`;

/** The key of the platform's functions is derived from this and the secret. */
export const PLATFORM_KEY_INFO = 'veren/platform/1';

/** The key of one attempt of a build is derived from this and the secret. No part can contain the separator. */
export const buildKeyInfo = (build: { deploymentId: string; target: Target; attempt: number }) =>
  `veren/build/1/${build.deploymentId}/${build.target}/${build.attempt}`;

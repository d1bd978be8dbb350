import type { Target } from './builders.ts';
import type { Topic } from './names.ts';

/**
 * Who wrote a message: each carries, in the Kafka header `MAC_HEADER`, a MAC (HMAC-SHA256, base64url) over its topic and its
 * exact bytes. The platform's functions have one key, each attempt of a build has its own; all of them are made of one
 * secret, so nobody keeps a list. docs/decisions/build-events-signed.md
 */
export const MAC_HEADER = 'veren-mac';

/** What is hashed before the bytes of the message itself: a message of one topic is nothing on another. */
export const macPrefix = (topic: Topic) => `${topic}\0`;

/** What the key of the platform's functions is derived from, with the secret. */
export const PLATFORM_KEY_INFO = 'veren/platform/1';

/** What the key of one attempt of a build is derived from. No part can hold the separator. */
export const buildKeyInfo = (build: { deploymentId: string; target: Target; attempt: number }) =>
  `veren/build/1/${build.deploymentId}/${build.target}/${build.attempt}`;

import { createHmac, timingSafeEqual } from 'node:crypto';

/** Equal texts, in a time that does not depend on where they differ. */
export function equalSecrets(given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map((text) => createHmac('sha256', 'compare').update(text).digest());
  return timingSafeEqual(a!, b!);
}

/** The HMAC-SHA256 of a body, in hexadecimal digits. */
export const hexSignature = (secret: string, body: Uint8Array): string =>
  createHmac('sha256', secret).update(body).digest('hex');

/** True where the header is `sha256=` and the signature of the body. */
export const isHubSigned = (header: string | undefined, secret: string, body: Uint8Array): boolean =>
  equalSecrets(header ?? '', `sha256=${hexSignature(secret, body)}`);

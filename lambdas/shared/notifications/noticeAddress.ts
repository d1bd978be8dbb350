import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { VerenError } from '../../../contract/errors.ts';
import type { GitPolicy, GitProtocol } from '../repo/gitPolicy.ts';
import { requireAllowedAddress } from '../repo/hostAddress.ts';
import { parseUrl } from '../repo/parseUrl.ts';
import type { SecretBox, SecretPlace } from '../secretBox.ts';

/** Where notices go, in clear text. Never logged, never answered, except the secret once. */
const NoticeAddressSchema = z.object({ url: z.string(), secret: z.string().optional() });
export type NoticeAddress = z.infer<typeof NoticeAddressSchema>;

/**
 * The address, as it is stored. Names are looked up when something is sent, since they may point elsewhere by then.
 * Throws NOTIFICATION_FORBIDDEN.
 */
export function checkNoticeUrl(text: string, policy: GitPolicy): URL {
  const url = parseUrl(text);
  const forbidden = (reason: string) => new VerenError('NOTIFICATION_FORBIDDEN', { host: url?.host ?? 'it', reason });
  if (!url || !/^https?:$/.test(url.protocol)) throw forbidden('it is no https address');
  if (!policy.protocols.includes(url.protocol.slice(0, -1) as GitProtocol)) throw forbidden('it has to be https');
  if (url.username !== '' || url.password !== '') throw forbidden('it holds a user name or password');
  url.hash = '';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    if (isIP(host)) requireAllowedAddress(url.hostname, host, policy);
  } catch (error) {
    throw error instanceof VerenError ? forbidden(String(error.details.reason)) : error;
  }
  return url;
}

/** Source: Standard Webhooks 1.0.0, "Signature scheme": 24 to 64 random bytes, as base64 after `whsec_`. */
export const newNoticeSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** No variable of a project has such a name, so neither can be read as the other. */
export const placeOfNoticeAddress = (projectId: string, id: string): SecretPlace => ({
  projectId,
  variable: `notification ${id}`,
  readers: [],
});

export const sealNoticeAddress = (box: SecretBox, projectId: string, id: string, address: NoticeAddress) =>
  box.seal(JSON.stringify(address), placeOfNoticeAddress(projectId, id));

/** Throws SECRETS_UNREADABLE. */
export const openNoticeAddress = async (box: Pick<SecretBox, 'open'>, projectId: string, id: string, sealed: string) =>
  NoticeAddressSchema.parse(JSON.parse(await box.open(sealed, placeOfNoticeAddress(projectId, id))));

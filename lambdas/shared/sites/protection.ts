import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SiteRoute } from '../../../contract/siteRoute.ts';

/** The query parameter that opens a protected preview, and the cookie that keeps it open. */
export const TOKEN_NAME = 'veren_token';

type Protection = NonNullable<SiteRoute['protection']>;

/** What a visitor sends. */
export interface Visit {
  /** As in the request, with its query. */
  readonly url: string;
  readonly cookie?: string | undefined;
  readonly authorization?: string | undefined;
}

export type Admission =
  | { readonly kind: 'admitted' }
  /** The link was right: the same address without the token, which the cookie has from now on. */
  | { readonly kind: 'redirect'; readonly location: string; readonly cookie: string }
  | { readonly kind: 'refused'; readonly challenge?: string };

/**
 * Whether a visitor may see a preview. A link's token is taken from the query once and then from a cookie; a password from
 * HTTP Basic, with any user name. CloudFront's viewer-request function decides the same.
 */
export function admitVisitor(protection: Protection | undefined, visit: Visit): Admission {
  if (!protection) return { kind: 'admitted' };
  const isRight = (secret: string | undefined) => secret !== undefined && matchesHash(protection, secret);
  if (protection.kind === 'password')
    return isRight(basicPassword(visit.authorization))
      ? { kind: 'admitted' }
      : { kind: 'refused', challenge: 'Basic realm="Preview", charset="UTF-8"' };
  const { token, rest } = takeToken(visit.url);
  if (isRight(token)) {
    const cookie = `${TOKEN_NAME}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000`;
    return { kind: 'redirect', location: rest, cookie };
  }
  return isRight(cookieToken(visit.cookie)) ? { kind: 'admitted' } : { kind: 'refused' };
}

/**
 * What the code of a preview learns of a visit: not what opens the preview, which is the same for all previews of the
 * project. CloudFront's viewer-request function leaves out the same.
 */
export function withoutSecrets(protection: Protection | undefined, visit: Visit): Visit {
  const cookies = (visit.cookie ?? '').split(';').filter((part) => part.split('=', 1)[0]?.trim() !== TOKEN_NAME);
  const cookie = cookies.join(';').trim();
  const authorization = protection?.kind === 'password' ? undefined : visit.authorization;
  return { url: withoutToken(visit.url), cookie: cookie === '' ? undefined : cookie, authorization };
}

function withoutToken(url: string): string {
  const mark = url.indexOf('?');
  if (mark < 0) return url;
  const parts = url.slice(mark + 1).split('&');
  const kept = parts.filter((part) => part.split('=', 1)[0] !== TOKEN_NAME);
  if (kept.length === parts.length) return url;
  return kept.length > 0 ? `${url.slice(0, mark)}?${kept.join('&')}` : url.slice(0, mark);
}

/** Salt and SHA-256 (hex) of salt and secret, as a route has them. */
export const hashSecret = (salt: string, secret: string): Pick<Protection, 'salt' | 'hash'> => ({
  salt,
  hash: createHash('sha256')
    .update(salt + secret)
    .digest('hex'),
});

/** The token of links to a project's previews: nobody without the project's key can make it. */
export const linkToken = (addressKey: string): string =>
  createHmac('sha256', addressKey).update('preview-link').digest('base64url').slice(0, 24);

function matchesHash({ salt, hash }: Protection, secret: string): boolean {
  const [own, given] = [Buffer.from(hash), Buffer.from(hashSecret(salt, secret).hash)];
  return own.length === given.length && timingSafeEqual(own, given);
}

/** The token of a URL, and the URL without it: a path of this site, whatever the visitor has sent. */
function takeToken(url: string): { token?: string; rest: string } {
  const mark = url.indexOf('?');
  if (mark < 0) return { rest: url };
  let token: string | undefined;
  const kept = url
    .slice(mark + 1)
    .split('&')
    .filter((part) => {
      if (!part.startsWith(`${TOKEN_NAME}=`)) return true;
      token ??= part.slice(TOKEN_NAME.length + 1);
      return false;
    });
  const path = `/${url.slice(0, mark).replace(/^[/\\]+/, '')}`;
  const rest = kept.length > 0 ? `${path}?${kept.join('&')}` : path;
  return { ...(token !== undefined && { token }), rest };
}

function cookieToken(header: string | undefined): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === TOKEN_NAME) return value;
  }
  return undefined;
}

function basicPassword(header: string | undefined): string | undefined {
  const [, encoded] = /^Basic ([\w+/=-]+)$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : text.slice(colon + 1);
}

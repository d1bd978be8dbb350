import { z } from 'zod';
import { readShort } from '../../../lambdas/shared/repo/pinnedRequest.ts';
import { type CheckedRequest, checkedRequest } from './checked-request.ts';
import type { Pointer } from './lfs-pointer.ts';

/** Objects of one request. Hosts allow 100 at least. Source: docs/api/batch.md of git-lfs. */
export const BATCH = 100;
const MAX_ANSWER = 1_024 * 1_024;
const MEDIA = 'application/vnd.git-lfs+json';

const AnswerSchema = z.object({
  transfer: z.literal('basic').optional(),
  objects: z.array(
    z.object({
      oid: z.string(),
      actions: z
        .object({
          download: z.object({ href: z.string().max(16_384), header: z.record(z.string(), z.string()).optional() }),
        })
        .partial()
        .optional(),
      error: z.object({ code: z.number(), message: z.string().optional() }).optional(),
    }),
  ),
});

export interface Download {
  readonly href: string;
  readonly headers: Readonly<Record<string, string>>;
}
/** A file of this machine. */
export interface Stored {
  readonly file: string;
}
export type Located = Download | Stored | { readonly error: string };

/** The LFS server of a repository that names none. Source: docs/api/server-discovery.md of git-lfs. */
export const defaultServer = (gitUrl: string): string =>
  `${gitUrl.replace(/\/+$/, '').replace(/(?:\.git)?$/, '.git')}/info/lfs`;

/**
 * The download address of each object. Throws an Error with the host's message, or VerenError for a forbidden address.
 */
export async function locate(
  server: string,
  objects: readonly Pointer[],
  token: string | undefined,
  rules: Pick<CheckedRequest, 'policy' | 'resolve' | 'signal'>,
): Promise<ReadonlyMap<string, Located>> {
  const basic = token && Buffer.from(`x-access-token:${token}`).toString('base64');
  const answer = await checkedRequest({
    ...rules,
    method: 'POST',
    url: `${server.replace(/\/+$/, '')}/objects/batch`,
    headers: { accept: MEDIA, 'content-type': MEDIA, ...(basic && { authorization: `Basic ${basic}` }) },
    body: JSON.stringify({ operation: 'download', transfers: ['basic'], hash_algo: 'sha256', objects }),
  });
  const text = await readShort(answer, MAX_ANSWER);
  if (answer.statusCode !== 200) throw new Error(`its LFS server answers ${answer.statusCode}`);
  const parsed = AnswerSchema.safeParse(asJson(text));
  if (!parsed.success) throw new Error('its LFS server answers with what is no list of objects');
  return new Map(
    parsed.data.objects.map(({ oid, actions, error }): [string, Located] => {
      const download = actions?.download;
      if (error || !download) return [oid, { error: `its LFS server does not have it (${error?.code ?? 'no link'})` }];
      return [oid, { href: new URL(download.href, server).href, headers: usable(download.header ?? {}) }];
    }),
  );
}

/** The headers of a download as the host gives them, without those that the client itself sets. */
const usable = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) =>
        /^[\w-]{1,64}$/.test(name) &&
        !/^(?:host|connection|content-length|transfer-encoding|upgrade|te|trailer|expect)$/i.test(name) &&
        /^[\x20-\x7e]{0,8192}$/.test(value),
    ),
  );

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

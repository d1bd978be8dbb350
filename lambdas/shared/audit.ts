import { randomBytes } from 'node:crypto';
import { s3Keys } from '../../contract/names.ts';
import { type AuditEntry, AuditEntrySchema } from '../../contract/people.ts';
import type { S3Calls } from './adapters/aws/clients.ts';
import type { Clock } from './ports.ts';

/** Notes in the owner's audit list who changed what; one object a line, so that no writer can lose another's. */
export type WriteAudit = (entry: Omit<AuditEntry, 'at'>) => Promise<void>;

/** One page, newest first; `cursor` is that of the page before. */
export type ReadAudit = (query: {
  readonly owner: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
}) => Promise<{ items: AuditEntry[]; cursor?: string }>;

interface AuditDeps {
  readonly s3: S3Calls;
  readonly bucket: string;
}

/** The milliseconds that are left until the year 5138: S3 lists keys in ascending order only, and newest come first. */
const LAST_MS = 99_999_999_999_999;
const CURSOR = /^\d{14}-[0-9a-f]{8}$/;

export function openAudit(deps: AuditDeps & { readonly clock: Clock }): WriteAudit {
  return async (entry) => {
    const now = deps.clock.now();
    const left = String(LAST_MS - now).padStart(14, '0');
    const Key = `${s3Keys.audit(entry.owner)}${left}-${randomBytes(4).toString('hex')}.json`;
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const Body = JSON.stringify({ at: new Date(now).toISOString(), ...entry } satisfies AuditEntry);
    await deps.s3.send(new PutObjectCommand({ Bucket: deps.bucket, Key, Body, ContentType: 'application/json' }));
  };
}

export function openAuditReader({ s3, bucket }: AuditDeps): ReadAudit {
  const readEntry = async (Key: string) => {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    return AuditEntrySchema.parse(JSON.parse(await Body!.transformToString()));
  };
  return async ({ owner, limit, cursor }) => {
    if (cursor !== undefined && !CURSOR.test(cursor)) return { items: [] };
    const prefix = s3Keys.audit(owner);
    const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
    const { Contents = [], IsTruncated } = await s3.send(
      new ListObjectsV2Command({
        ...{ Bucket: bucket, Prefix: prefix, MaxKeys: limit },
        ...(cursor !== undefined && { StartAfter: `${prefix}${cursor}.json` }),
      }),
    );
    const keys = Contents.flatMap(({ Key }) => Key ?? []);
    const items = await Promise.all(keys.map(readEntry));
    const last = keys
      .at(-1)
      ?.slice(prefix.length)
      .replace(/\.json$/, '');
    return { items, ...(IsTruncated && last !== undefined && { cursor: last }) };
  };
}

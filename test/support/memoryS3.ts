import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';

const failed = (name: string) => Object.assign(new Error(name), { name });

interface Input {
  readonly Key: string;
  readonly Body: string;
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
  readonly Prefix: string;
  readonly Delimiter?: string;
  readonly StartAfter?: string;
  readonly ContinuationToken?: string;
  readonly MaxKeys?: number;
  readonly CopySource: string;
  readonly Delete: { readonly Objects: readonly { readonly Key: string }[] };
}

/**
 * S3 as far as the platform's documents need it: small objects, conditional writes, lists, copies, removals.
 * @param now The time that objects are written at.
 */
export function memoryS3(now: () => number = Date.now): S3Calls & { readonly objects: Map<string, string> } {
  const objects = new Map<string, string>();
  const tags = new Map<string, string>();
  const writtenAt = new Map<string, Date>();
  let writes = 0;
  const put = (Key: string, Body: string) => {
    objects.set(Key, Body);
    tags.set(Key, `"${++writes}"`);
    writtenAt.set(Key, new Date(now()));
    return { ETag: tags.get(Key) };
  };
  const answer: Record<string, (input: Input) => unknown> = {
    PutObjectCommand({ Key, Body, IfMatch, IfNoneMatch }) {
      if (IfNoneMatch && objects.has(Key)) throw failed('PreconditionFailed');
      if (IfMatch && !objects.has(Key)) throw failed('NoSuchKey');
      if (IfMatch && tags.get(Key) !== IfMatch) throw failed('PreconditionFailed');
      return put(Key, Body);
    },
    GetObjectCommand({ Key }) {
      const text = objects.get(Key);
      if (text === undefined) throw failed('NoSuchKey');
      const Body = { transformToString: async () => text };
      return { Body, ETag: tags.get(Key), ContentLength: Buffer.byteLength(text) };
    },
    HeadObjectCommand({ Key }) {
      const text = objects.get(Key);
      if (text === undefined) throw failed('NotFound');
      return { ETag: tags.get(Key), ContentLength: Buffer.byteLength(text) };
    },
    CopyObjectCommand: ({ Key, CopySource }) => put(Key, objects.get(CopySource.slice(CopySource.indexOf('/') + 1))!),
    DeleteObjectCommand({ Key }) {
      objects.delete(Key);
      return {};
    },
    ListObjectsV2Command({ Prefix, Delimiter, StartAfter = '', ContinuationToken = StartAfter, MaxKeys = 1_000 }) {
      const Contents: { Key: string; Size: number; ETag: string | undefined; LastModified: Date | undefined }[] = [];
      const CommonPrefixes: { Prefix: string }[] = [];
      const keys = [...objects.keys()].filter((key) => key.startsWith(Prefix) && key > ContinuationToken).toSorted();
      for (const Key of keys) {
        const cut = Delimiter ? Key.indexOf(Delimiter, Prefix.length) : -1;
        const common = cut < 0 ? undefined : Key.slice(0, cut + 1);
        if (common !== undefined && (common === CommonPrefixes.at(-1)?.Prefix || ContinuationToken.startsWith(common)))
          continue;
        if (Contents.length + CommonPrefixes.length === MaxKeys) {
          const [a = '', b = ''] = [Contents.at(-1)?.Key, CommonPrefixes.at(-1)?.Prefix];
          return { Contents, CommonPrefixes, IsTruncated: true, NextContinuationToken: a > b ? a : b };
        }
        if (common === undefined)
          Contents.push({
            Key,
            Size: Buffer.byteLength(objects.get(Key)!),
            ETag: tags.get(Key),
            LastModified: writtenAt.get(Key),
          });
        else CommonPrefixes.push({ Prefix: common });
      }
      return { Contents, CommonPrefixes };
    },
    DeleteObjectsCommand({ Delete }) {
      for (const { Key } of Delete.Objects) objects.delete(Key);
      return {};
    },
  };
  const send = async (command: { readonly constructor: { readonly name: string }; readonly input: Input }) => {
    // As over a network, so that callers run into each other.
    await new Promise(setImmediate);
    return answer[command.constructor.name]!(command.input);
  };
  return { objects, send: send as never };
}

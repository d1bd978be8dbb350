import { Agent } from 'node:http';
import { SITE_TABLE_LIMITS } from '../../contract/siteRoute.ts';
import { openSiteTable, type SiteTableCalls } from '../../lambdas/shared/adapters/aws/clients.ts';
import { httpDouble, type Response } from './httpDouble.ts';

/**
 * CloudFront's KeyValueStore over HTTP: it refuses what the service refuses (another version, too many keys, keys and
 * values that are too long, a store that is full, a signature for one region).
 */
export async function keyValueStoreDouble() {
  const arn = 'arn:aws:cloudfront::123456789012:key-value-store/a1b2';
  const entries = new Map<string, string>();
  /** Answers of the next calls, in place of the right ones. */
  const faults: (Response | undefined)[] = [];
  /** Called before a change is looked at: another writer. */
  let beforeUpdate: (() => void) | undefined;
  let version = 1;
  let updates = 0;
  const refuse = (status: number, type: string, message: string): Response => ({
    status,
    headers: { 'x-amzn-errortype': type, 'content-type': 'application/json' },
    body: JSON.stringify({ Message: message }),
  });
  const size = () => [...entries].reduce((sum, [k, v]) => sum + Buffer.byteLength(k) + Buffer.byteLength(v), 0);
  const answer = (body: object): Response => ({
    status: 200,
    headers: { 'content-type': 'application/json', etag: `v${version}` },
    body: JSON.stringify(body),
  });
  function update(body: string, ifMatch: unknown): Response {
    const { Puts: puts = [], Deletes: deletes = [] } = JSON.parse(body);
    const keys = [...puts, ...deletes].map(({ Key }: { Key: string }) => Key);
    beforeUpdate?.();
    if (keys.length === 0 || keys.length > SITE_TABLE_LIMITS.keysPerCall)
      return refuse(400, 'ValidationException', 'number of keys');
    if (new Set(keys).size < keys.length) return refuse(400, 'ValidationException', 'a key twice');
    if (keys.some((key) => Buffer.byteLength(key) > SITE_TABLE_LIMITS.keyBytes))
      return refuse(400, 'ValidationException', 'length of a key');
    if (puts.some(({ Value }: { Value: string }) => Buffer.byteLength(Value) > SITE_TABLE_LIMITS.valueBytes))
      return refuse(400, 'ValidationException', 'length of a value');
    if (ifMatch !== `v${version}`) return refuse(409, 'ConflictException', 'Resource is not in expected state.');
    if (deletes.some(({ Key }: { Key: string }) => !entries.has(Key)))
      return refuse(404, 'ResourceNotFoundException', 'no such key');
    const before = new Map(entries);
    for (const { Key, Value } of puts) entries.set(Key, Value);
    for (const { Key } of deletes) entries.delete(Key);
    if (size() > SITE_TABLE_LIMITS.storeBytes) {
      entries.clear();
      for (const [key, value] of before) entries.set(key, value);
      return refuse(402, 'ServiceQuotaExceededException', 'the store is full');
    }
    version++;
    updates++;
    return answer({ ItemCount: entries.size, TotalSizeInBytes: size() });
  }
  function list(query: URLSearchParams): Response {
    const size = Number(query.get('MaxResults') ?? 10);
    if (size > 50) return refuse(400, 'ValidationException', 'MaxResults');
    const after = query.get('NextToken') ?? '';
    const left = [...entries].filter(([key]) => key > after).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const page = left.slice(0, size).map(([Key, Value]) => ({ Key, Value }));
    return answer({ Items: page, ...(left.length > size && { NextToken: page.at(-1)?.Key }) });
  }
  const endpoint = await httpDouble(({ method, url, headers, body }) => {
    const fault = faults.shift();
    if (fault) return fault;
    if (!/^AWS4-ECDSA-P256-SHA256 /.test(headers.authorization ?? '') || headers['x-amz-region-set'] !== '*')
      return refuse(403, 'AccessDeniedException', 'This operation requires SigV4A.');
    const { pathname, searchParams } = new URL(url, 'http://x');
    const [, store, keys, key] = /^\/key-value-stores\/([^/]+)(\/keys(?:\/([^/]+))?)?$/.exec(pathname) ?? [];
    if (decodeURIComponent(store ?? '') !== arn) return refuse(404, 'ResourceNotFoundException', 'no such store');
    if (method === 'POST') return update(body, headers['if-match']);
    if (keys !== undefined && key === undefined) return list(searchParams);
    if (key === undefined)
      return answer({ ItemCount: entries.size, TotalSizeInBytes: size(), KvsARN: arn, Created: 0 });
    const value = entries.get(decodeURIComponent(key));
    if (value === undefined) return refuse(404, 'ResourceNotFoundException', 'no such key');
    return answer({ Key: decodeURIComponent(key), Value: value, ItemCount: entries.size, TotalSizeInBytes: size() });
  });
  // The account is a part of the host name, which no resolver knows here.
  const httpAgent = new Agent({
    lookup: (_host, { all }, done) =>
      all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
  });
  const client: SiteTableCalls = openSiteTable({
    endpoint: endpoint.url.replace('127.0.0.1', 'kvs.test'),
    region: 'ap-south-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    requestHandler: { httpAgent },
    maxAttempts: 2,
  });
  return {
    arn,
    client,
    entries,
    faults,
    requests: endpoint.requests,
    updates: () => updates,
    onUpdate(before: (() => void) | undefined) {
      beforeUpdate = before;
    },
    /** Another writer has changed the store. */
    bump: () => void version++,
    async close() {
      httpAgent.destroy();
      await endpoint.close();
    },
  };
}

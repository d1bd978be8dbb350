import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import type { CustomAnswer } from '../cloudformation/template.ts';

interface Store {
  readonly arn: string;
  readonly created: string;
  readonly values: Map<string, string>;
  version: number;
}

const UpdateSchema = z.object({
  Puts: z.array(z.object({ Key: z.string(), Value: z.string() })).default([]),
  Deletes: z.array(z.object({ Key: z.string() })).default([]),
});

/**
 * CloudFront's KeyValueStores, of which the emulator knows neither the resource type nor the data plane. In memory; signatures
 * and rights of who writes are not checked.
 */
export class KeyValueStores {
  readonly #stores = new Map<string, Store>();
  readonly #account: string;

  constructor(account: string) {
    this.#account = account;
  }

  /** Makes a store for a stack; gives what CloudFormation would know of it. */
  create(): CustomAnswer {
    const id = randomUUID();
    const arn = `arn:aws:cloudfront::${this.#account}:key-value-store/${id}`;
    this.#stores.set(arn, { arn, created: new Date().toISOString(), values: new Map(), version: 1 });
    return { physicalId: id, data: { Arn: arn, Id: id, Status: 'READY' } };
  }

  delete(id: string): void {
    for (const arn of this.#stores.keys()) if (arn.endsWith(`/${id}`)) this.#stores.delete(arn);
  }

  /** @returns undefined where there is no such store or key */
  read(arn: string, key: string): string | undefined {
    return this.#stores.get(arn)?.values.get(key);
  }

  /** ARNs of all stores. */
  arns(): string[] {
    return [...this.#stores.keys()];
  }

  /** A call of the data plane: DescribeKeyValueStore, GetKey, UpdateKeys. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, arn = '', key] = /^\/key-value-stores\/([^/]+)(?:\/keys(?:\/(.+))?)?$/.exec(request.url ?? '') ?? [];
    const store = this.#stores.get(decodeURIComponent(arn));
    if (!store) return refuse(response, 404, 'ResourceNotFoundException', 'No such store');
    if (request.method === 'GET' && key === undefined) return answer(response, store, describe(store));
    if (request.method === 'GET') {
      const name = decodeURIComponent(key!);
      const value = store.values.get(name);
      if (value === undefined) return refuse(response, 404, 'ResourceNotFoundException', 'Key not found');
      return answer(response, store, { Key: name, Value: value, ...sizes(store) });
    }
    if (request.method !== 'POST') return refuse(response, 400, 'ValidationException', 'Unknown call');
    const { Puts, Deletes } = UpdateSchema.parse(await json(request));
    if (request.headers['if-match'] !== String(store.version))
      return refuse(response, 412, 'ConflictException', 'The store has changed');
    if (Deletes.some(({ Key }) => !store.values.has(Key)))
      return refuse(response, 404, 'ResourceNotFoundException', 'Key not found');
    for (const { Key } of Deletes) store.values.delete(Key);
    for (const { Key, Value } of Puts) store.values.set(Key, Value);
    store.version++;
    answer(response, store, sizes(store));
  }
}

function sizes({ values }: Store) {
  const bytes = [...values].reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
  return { ItemCount: values.size, TotalSizeInBytes: bytes };
}

const describe = (store: Store) => ({
  KvsARN: store.arn,
  Status: 'READY',
  Created: Date.parse(store.created) / 1_000,
  ...sizes(store),
});

function answer(response: ServerResponse, { version }: Store, body: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json', ETag: String(version) }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, name: string, message: string): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'x-amzn-ErrorType': name })
    .end(JSON.stringify({ Message: message }));
}

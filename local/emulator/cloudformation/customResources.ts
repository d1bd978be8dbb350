import { randomUUID } from 'node:crypto';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import type { KeyValueStores } from '../cloudfront/keyValueStores.ts';
import { type CustomAnswer, type Json, KEY_VALUE_STORE } from './template.ts';

/** What a function puts to its ResponseURL. Source: CloudFormation user guide, custom resource response objects. */
const ResponseSchema = z.object({
  Status: z.enum(['SUCCESS', 'FAILED']),
  Reason: z.string().optional(),
  PhysicalResourceId: z.string().optional(),
  Data: z.record(z.string(), z.unknown()).nullish(),
});

export interface CustomRequest {
  readonly type: 'Create' | 'Update' | 'Delete';
  readonly stackId: string;
  readonly logicalId: string;
  readonly resourceType: string;
  readonly properties: Readonly<Record<string, Json>>;
  readonly oldProperties?: Readonly<Record<string, Json>>;
  readonly physicalId?: string;
}

/** Calls functions of custom resources as CloudFormation does, and takes their answers. */
export class CustomResources {
  readonly #waiting = new Map<string, (body: string) => void>();
  readonly #lambda: LambdaClient;
  readonly #responseUrl: string;
  readonly #stores: KeyValueStores;

  /** @param responseUrl where functions put their answers; a name of its own is added for each */
  constructor(lambda: LambdaClient, responseUrl: string, stores: KeyValueStores) {
    this.#lambda = lambda;
    this.#responseUrl = responseUrl;
    this.#stores = stores;
  }

  /** An answer that arrived at `<responseUrl>/<name>`; false where nobody waits for it. */
  take(name: string, body: string): boolean {
    const waiting = this.#waiting.get(name);
    waiting?.(body);
    return waiting !== undefined;
  }

  /** @throws Error with the function's reason, or where it failed without an answer */
  async call(request: CustomRequest): Promise<CustomAnswer> {
    if (request.resourceType === KEY_VALUE_STORE) return this.#callStore(request);
    const [name, id] = [randomUUID(), randomUUID()];
    const { ServiceToken } = request.properties;
    const answered = new Promise<string>((resolve) => this.#waiting.set(name, resolve));
    const event = {
      RequestType: request.type,
      ServiceToken,
      ResponseURL: `${this.#responseUrl}/${name}`,
      StackId: request.stackId,
      RequestId: id,
      LogicalResourceId: request.logicalId,
      ResourceType: request.resourceType,
      ResourceProperties: request.properties,
      ...(request.oldProperties && { OldResourceProperties: request.oldProperties }),
      ...(request.physicalId && { PhysicalResourceId: request.physicalId }),
    };
    // CloudFormation would wait for an hour; a function that has failed does not answer any more.
    const failed = this.#lambda
      .send(new InvokeCommand({ FunctionName: String(ServiceToken), Payload: JSON.stringify(event) }))
      .then(({ FunctionError, Payload }) => {
        if (FunctionError) throw new Error(`${request.logicalId}: ${Payload?.transformToString().slice(0, 2_000)}`);
        return answered;
      });
    try {
      const response = ResponseSchema.parse(JSON.parse(await Promise.race([answered, failed])));
      if (response.Status === 'FAILED') throw new Error(`${request.logicalId}: ${response.Reason ?? 'no reason'}`);
      return {
        physicalId: response.PhysicalResourceId ?? request.physicalId ?? id,
        data: (response.Data ?? {}) as Record<string, Json>,
      };
    } finally {
      failed.catch(() => {});
      this.#waiting.delete(name);
    }
  }

  #callStore({ type, physicalId = '', logicalId }: CustomRequest): CustomAnswer {
    if (type === 'Create') return this.#stores.create();
    if (type === 'Delete') this.#stores.delete(physicalId);
    else throw new Error(`${logicalId}: a store is not changed in place`);
    return { physicalId, data: {} };
  }
}

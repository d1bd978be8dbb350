import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { DoorbellName } from '../../../../contract/names.ts';
import type { Doorbell } from '../../ports.ts';

/** An asynchronous invoke is answered once it is queued. Whoever rings has something better to do than to wait longer. */
const TIMEOUT_MS = 3_000;

export interface LambdaDoorbellOptions {
  /** Name or ARN of the function behind each bell. */
  readonly functions: Readonly<Record<DoorbellName, string>>;
  /** Told of a ring that did not get through. The job is in the queue all the same, and the sweep finds it. */
  readonly onError: (error: unknown) => void;
}

/** Invokes a function asynchronously, with an empty event: what there is to do is in the queue. */
export async function invokeLater(lambda: LambdaClient, functionName: string): Promise<void> {
  const invoke = new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: '{}' });
  await lambda.send(invoke, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** Rings by asynchronous invoke. */
export function lambdaDoorbell(lambda: LambdaClient, { functions, onError }: LambdaDoorbellOptions): Doorbell {
  return {
    async ring(name) {
      try {
        await invokeLater(lambda, functions[name]);
      } catch (e) {
        onError(e);
      }
    },
  };
}

import type { WakeableFunction } from '../../../../contract/names.ts';
import type { FunctionWaker } from '../../ports.ts';
import type { LambdaCalls } from './clients.ts';

/** An asynchronous invoke is answered once it is queued. The caller does not wait for the run. */
const TIMEOUT_MS = 3_000;

export interface LambdaWakerOptions {
  /** Name or ARN of each function. */
  readonly functions: Readonly<Record<WakeableFunction, string>>;
  /** Called when a wake has failed. The job is in the queue all the same, where the sweep finds it. */
  readonly onError: (error: unknown) => void;
}

/** Invokes a function asynchronously with an empty event, since its work is in the queue. */
export async function invokeLater(lambda: LambdaCalls, functionName: string): Promise<void> {
  const { InvokeCommand } = await import('@aws-sdk/client-lambda');
  const invoke = new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: '{}' });
  await lambda.send(invoke, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** Wakes functions by asynchronous invoke. */
export function createLambdaWaker(lambda: LambdaCalls, { functions, onError }: LambdaWakerOptions): FunctionWaker {
  return {
    async wake(name) {
      try {
        await invokeLater(lambda, functions[name]);
      } catch (e) {
        onError(e);
      }
    },
  };
}

import type { Context } from 'aws-lambda';
import type { LambdaCalls } from './clients.ts';
import { invokeLater } from './functionWaker.ts';

/** Lambda's context of an invocation; absent where something other than Lambda calls the handler. */
export type DrainContext = Pick<Context, 'getRemainingTimeInMillis' | 'functionName'>;

/**
 * Drains a queue until it is empty or the function's time is nearly over; then it wakes a successor, since a job that
 * is cut off would count as a crash. Where there was no time for a single job (a slow start), the successor could have
 * none either, and would wake another: then the job waits for the next wake, which the sweep sends every minute.
 * @param leaseMs How long one job may take at most.
 * @param drain Answers false where it stopped before the queue was empty.
 */
export async function drainWithinTime(
  { lambda, onError }: { readonly lambda: LambdaCalls; readonly onError: (error: unknown) => void },
  context: DrainContext | undefined,
  leaseMs: number,
  drain: (mayTakeMore: () => boolean) => Promise<boolean>,
): Promise<void> {
  let hadTime = false;
  const drained = await drain(() => {
    const hasTime = !context || context.getRemainingTimeInMillis() > leaseMs;
    hadTime ||= hasTime;
    return hasTime;
  });
  if (!drained && context && hadTime) await invokeLater(lambda, context.functionName).catch(onError);
}

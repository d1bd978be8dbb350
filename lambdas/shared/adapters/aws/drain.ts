import type { Context } from 'aws-lambda';
import type { LambdaCalls } from './clients.ts';
import { invokeLater } from './functionWaker.ts';

/** What a handler is told of its own invocation; absent where something other than Lambda calls it. */
export type DrainContext = Pick<Context, 'getRemainingTimeInMillis' | 'functionName'>;

/**
 * Drains a queue until it is empty or the function's time is nearly over, and then wakes a successor: a job that is cut
 * off in its middle would count as a crash. Where there was no time for a single one (a start that hung), a successor would
 * fare the same, and so would its own: then it is left to the next wake; the sweep wakes it every minute.
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

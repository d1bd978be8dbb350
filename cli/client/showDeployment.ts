import pc from 'picocolors';
import type { DeploymentView } from '../../contract/api.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { Display, type Out } from './display.ts';
import { formatDuration, totalTime } from './durations.ts';
import { OrderedLines } from './orderedLines.ts';
import { describeChanges, FRAME_MS, logLine, planLines, progressRows } from './progress.ts';
import { describeOutcome, durationTable, styleOf } from './summary.ts';
import type { VerenClient } from './VerenClient.ts';

export interface ShowOptions {
  readonly out: Out;
  /** True: a live block of the phases below the log. False: plain lines, for files and CI. */
  readonly isTTY: boolean;
  readonly color: boolean;
  /** Milliseconds since the epoch. */
  readonly clock?: { now(): number };
  /** Stops showing, with the signal's reason; the deployment goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Shows a deployment until its end: the log, the phases, and finally the durations and the result. Returns the final
 * record. Throws what the client throws.
 */
export async function showDeployment(
  client: Pick<VerenClient, 'followLogs' | 'getDeployment'>,
  { deploymentId }: { readonly deploymentId: string },
  { out, isTTY, color, clock = { now: Date.now }, signal }: ShowOptions,
): Promise<DeploymentView> {
  const style = styleOf(pc.createColors(color));
  const display = new Display(out, isTTY);
  const ordered = new OrderedLines();
  let record: DeploymentRecord | null = null;
  const drawFrame = () => {
    if (record) display.frame(progressRows(record, style, clock.now(), display.columns));
  };
  const printDue = () => display.print(ordered.take(performance.now()));
  const timer = setInterval(isTTY ? drawFrame : printDue, FRAME_MS);
  try {
    for await (const followed of client.followLogs(deploymentId, signal ? { signal } : {})) {
      if (followed.type === 'status') {
        const plan = record?.plan ? [] : planLines(followed.record, style);
        if (isTTY) display.print(plan);
        else {
          for (const text of plan) ordered.add(followed.record.updatedAt, 'begin', text, performance.now());
          // On a terminal the block shows them.
          for (const { at, rank, text } of describeChanges(record, followed.record))
            ordered.add(at, rank, text, performance.now());
        }
        record = followed.record;
      } else if (followed.type === 'log') {
        const text = logLine(followed.line, record, style);
        if (isTTY) display.print([text]);
        else ordered.add(followed.line.at, 'line', text, performance.now());
      }
    }
  } finally {
    clearInterval(timer);
    display.print(ordered.takeAll());
    display.close();
  }
  signal?.throwIfAborted();
  const final = await client.getDeployment(deploymentId);
  const printLines = (lines: readonly string[]) => out.write(lines.map((line) => `${line}\n`).join(''));
  printLines(['', ...durationTable(final, style, clock.now()), '']);
  printLines(describeOutcome(final, style));
  if (final.status === 'succeeded')
    printLines([style.colors.green(`Succeeded in ${formatDuration(totalTime(final, clock.now()))}.`)]);
  return final;
}

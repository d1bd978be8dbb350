import { type DeploymentRecord, isTerminal } from '../../../contract/record.ts';
import type { ControlPlane } from './controlPlane.ts';

/** A run that is held up by a test's own doing is not waited for longer. */
const MAX_IDLE_WAIT_MS = 2_000;

/** Lets time pass and sweeps until every one of them has ended; throws after so many sweeps. */
export async function untilEnded(
  plane: ControlPlane,
  ids: readonly string[],
  {
    advance,
    stepMs = 5_000,
    pauseMs = 20,
    sweeps = 400,
  }: { advance: (ms: number) => void; stepMs?: number; pauseMs?: number; sweeps?: number },
): Promise<DeploymentRecord[]> {
  for (let i = 0; i < sweeps; i++) {
    await plane.watch();
    await new Promise((r) => setTimeout(r, pauseMs));
    const records = await Promise.all(ids.map((id) => plane.record(id)));
    if (records.every((r) => isTerminal(r.status))) return records;
    // On a busy machine the test's clock would otherwise run away from events that are still being delivered.
    await Promise.race([plane.idle(), new Promise((r) => setTimeout(r, MAX_IDLE_WAIT_MS).unref())]);
    advance(stepMs);
  }
  const left = await Promise.all(ids.map((id) => plane.record(id)));
  throw new Error(`stuck: ${JSON.stringify(left.filter((r) => !isTerminal(r.status)).slice(0, 3))}`);
}

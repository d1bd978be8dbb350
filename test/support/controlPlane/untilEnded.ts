import { type DeploymentRecord, isTerminal } from '../../../contract/record.ts';
import type { ControlPlane } from './controlPlane.ts';

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
    advance(stepMs);
  }
  const left = await Promise.all(ids.map((id) => plane.record(id)));
  throw new Error(`stuck: ${JSON.stringify(left.filter((r) => !isTerminal(r.status)).slice(0, 3))}`);
}

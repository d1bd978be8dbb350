import type { Plan } from '../../../contract/plan.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { type ControlPlane, controlPlane, type Role } from './controlPlane.ts';
import { type Death, type Life, life } from './life.ts';
import type { SimulatedEcs } from './simulatedEcs.ts';
import { movableClock, type World } from './world.ts';

export interface Story {
  readonly plane: ControlPlane;
  readonly ecs: SimulatedEcs;
  readonly advance: (ms: number) => void;
}

interface Doomed {
  /** The function of which the first run that comes to the step dies. */
  readonly role: Role | null;
  readonly death: Death | undefined;
  readonly analyze: () => Promise<Plan>;
}

/** A story with a control plane of its own. */
export async function withDeath<T>(
  world: World,
  { role, death, analyze }: Doomed,
  story: (s: Story) => Promise<T>,
): Promise<{ result: T; died: boolean }> {
  const clock = movableClock();
  const ports = await openMemoryPlatform({ clock });
  const doomed: Life[] = [];
  const ecs = await world.ecs(
    () => plane.bus,
    (event) => void plane.watch(event),
    { now: clock.now },
  );
  const plane = controlPlane({
    storage: ports,
    clock,
    ...world.around(ecs),
    analyze,
    lives(of) {
      if (of !== role || doomed.some((l) => l.killed)) return life();
      const next = life(death);
      doomed.push(next);
      return next;
    },
  });
  try {
    const result = await story({ plane, ecs, advance: clock.advance });
    await plane.idle();
    return { result, died: doomed.some((l) => l.killed) };
  } finally {
    await plane.idle();
    await plane.close();
    await ports.close();
  }
}

/**
 * Runs with a death at step 1, 2, … until a run ends before it would die, with deaths before and then after each step. Gives
 * the number of steps. @param stride Tries one of so many steps, unless `VEREN_EVERY_STEP=1` asks for all of them.
 */
export async function atEveryStep(
  run: (death: Death, at: string) => Promise<{ readonly died: boolean }>,
  stride = 1,
): Promise<number> {
  const stepBy = process.env.VEREN_EVERY_STEP === '1' ? 1 : stride;
  let steps = 0;
  for (const when of ['before', 'after'] as const)
    for (let step = 1; ; step += stepBy) {
      const { died } = await run({ step, when }, `killed ${when} step ${step}`);
      if (!died) break;
      steps += stepBy;
    }
  return steps;
}

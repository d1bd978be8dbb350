import type { Supersede } from '../../../lambdas/domain/supersede.ts';
import type { DeploymentStore, Limits } from '../../../lambdas/shared/ports.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { type ControlPlane, type ControlPlaneOptions, controlPlane } from './controlPlane.ts';
import { type Container, type SimulatedEcs, simulatedEcs } from './simulatedEcs.ts';
import { standIn } from './standIn.ts';
import { untilEnded } from './untilEnded.ts';
import { BUCKET, movableClock, type World } from './world.ts';

export interface Scene {
  readonly plane: ControlPlane;
  readonly ecs: SimulatedEcs;
  readonly store: DeploymentStore;
  readonly end: (...ids: string[]) => ReturnType<typeof untilEnded>;
  /** Resolves when so many tasks have been started and no function runs. */
  readonly tasks: (n: number) => Promise<void>;
}

export interface SceneSetting
  extends Pick<ControlPlaneOptions, 'analyze' | 'findImage' | 'signing' | 'loses' | 'accounts'> {
  readonly limits?: Limits;
  readonly supersede?: Supersede;
  /** Time between two sweeps. Default: 5 s. */
  readonly stepMs?: number;
  /** Default: the stand-in of the other suites. */
  readonly container?: (bus: () => ControlPlane['bus']) => Container;
}

/** A control plane of its own on memory adapters, whose tasks are functions. */
export async function scene(
  world: World,
  { container, stepMs = 5_000, ...setting }: SceneSetting,
  play: (s: Scene) => Promise<void>,
): Promise<void> {
  const clock = movableClock();
  const ports = await openMemoryPlatform({ clock });
  const bus: ControlPlane['bus'] = { publish: (...message) => plane.bus.publish(...message) };
  const ecs = await simulatedEcs({
    container: container?.(() => plane.bus) ?? standIn({ bus, s3: world.s3, bucket: BUCKET, now: clock.now }),
    onStopped: (event) => void plane.watch(event),
    fault: (operation) => world.faults.ecs?.(operation),
  });
  const plane = controlPlane({
    storage: ports,
    clock,
    ...world.around(ecs),
    ...setting,
  });
  try {
    await play({
      plane,
      ecs,
      store: ports.store,
      end: (...ids) => untilEnded(plane, ids, { advance: clock.advance, stepMs }),
      async tasks(n) {
        while (ecs.log.length < n) await new Promise((r) => setTimeout(r, 5));
        await plane.idle();
      },
    });
  } finally {
    await ecs.close();
    await plane.idle();
    await plane.close();
    await ports.close();
  }
}

/** A gate that somebody waits at, and somebody else opens. */
export function gate() {
  let open: () => void = () => undefined;
  let reach: () => void = () => undefined;
  const opened = new Promise<void>((r) => {
    open = r;
  });
  const reached = new Promise<void>((r) => {
    reach = r;
  });
  return {
    open,
    reached,
    async pass() {
      reach();
      await opened;
    },
  };
}

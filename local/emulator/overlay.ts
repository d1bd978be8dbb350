import type { taskAnswer } from '../ecs/view.ts';

type TaskAnswer = ReturnType<typeof taskAnswer>;
/** A task as the emulator's DescribeTasks answers it, in JSON. */
export interface EmulatedTask {
  readonly taskArn?: string;
  readonly desiredStatus?: string;
  readonly containers?: readonly { readonly name?: string }[];
}

/** State of a task that only its runner knows. */
const OF_THE_TASK = [
  'lastStatus',
  'version',
  'pullStartedAt',
  'pullStoppedAt',
  'startedAt',
  'stoppingAt',
  'stoppedAt',
  'executionStoppedAt',
  'stopCode',
  'stoppedReason',
] as const satisfies readonly (keyof TaskAnswer)[];
const OF_A_CONTAINER = ['lastStatus', 'exitCode', 'reason'] as const;

/**
 * The emulator's answer with the real state of the task. An emulator that runs nothing answers RUNNING from the
 * beginning, and STOPPED with exit code 0 after the first StopTask. Events that have not happened yet are left out, as
 * in ECS.
 */
export function overlayTask<T extends EmulatedTask>(emulated: T, own: TaskAnswer): T {
  const stopping = emulated.desiredStatus === 'STOPPED' || own.desiredStatus === 'STOPPED';
  return {
    ...overlayFields(emulated, own, OF_THE_TASK),
    desiredStatus: stopping ? 'STOPPED' : 'RUNNING',
    containers: emulated.containers?.map((container) => {
      const ours = own.containers.find(({ name }) => name === container.name);
      return ours ? overlayFields(container, ours, OF_A_CONTAINER) : container;
    }),
  };
}

function overlayFields<T extends object>(over: T, own: object, names: readonly string[]): T {
  const result = { ...over } as Record<string, unknown>;
  for (const name of names) {
    delete result[name];
    const value = (own as Record<string, unknown>)[name];
    if (value !== undefined) result[name] = value;
  }
  return result as T;
}

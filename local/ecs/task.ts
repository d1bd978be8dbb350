import type { ProcessIdentity } from './processes.ts';
import type { TaskDefinition } from './taskDefinition.ts';

export type TaskStatus = 'PROVISIONING' | 'PENDING' | 'RUNNING' | 'DEPROVISIONING' | 'STOPPED';
/** Source: ECS API reference, data type Task, `stopCode`. */
export type StopCode = 'TaskFailedToStart' | 'EssentialContainerExited' | 'UserInitiated' | 'TerminationNotice';

/** A task as it is kept. Times are milliseconds since the epoch. */
export interface TaskRecord {
  /** 32 hex digits; an emulator may have names of its own. */
  readonly id: string;
  readonly cluster: string;
  readonly family: string;
  readonly containerName: string;
  readonly cpu: number;
  readonly memory: number;
  readonly group: string;
  readonly startedBy?: string;
  readonly capacityProvider?: string;
  readonly tags: readonly { readonly key?: string | undefined; readonly value?: string | undefined }[];
  /** `clientToken` of the call and a digest of its parameters, by which a repeat is recognised. */
  readonly request: { readonly token?: string; readonly fingerprint: string };
  readonly createdAt: number;

  version: number;
  lastStatus: TaskStatus;
  desiredStatus: 'RUNNING' | 'STOPPED';
  pullStartedAt?: number;
  startedAt?: number;
  stoppingAt?: number;
  stoppedAt?: number;
  stopCode?: StopCode;
  stoppedReason?: string;
  exitCode?: number;
  containerReason?: string;
  process?: ProcessIdentity;
}

export interface ContainerOverride {
  readonly name: string;
  readonly environment?: readonly { readonly name: string; readonly value: string }[] | undefined;
  readonly command?: readonly string[] | undefined;
}

/** Fargate's, where a definition gives none. */
const DEFAULT_CPU = 1_024;
const DEFAULT_MEMORY = 2_048;

/** A task that was just asked for. */
export function newTask(
  definition: TaskDefinition,
  given: Pick<TaskRecord, 'id' | 'cluster' | 'startedBy' | 'capacityProvider' | 'tags' | 'request' | 'createdAt'> & {
    readonly group?: string | undefined;
  },
): TaskRecord {
  const { family, containerName, cpu = DEFAULT_CPU, memory = DEFAULT_MEMORY } = definition;
  const { group = `family:${family}`, ...rest } = given;
  return {
    ...rest,
    group,
    family,
    containerName,
    cpu,
    memory,
    version: 1,
    lastStatus: 'PROVISIONING',
    desiredStatus: 'RUNNING',
  };
}

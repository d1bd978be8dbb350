import type { ProcessIdentity } from './processes.ts';

export type TaskStatus = 'PROVISIONING' | 'PENDING' | 'RUNNING' | 'DEPROVISIONING' | 'STOPPED';
/** Source: ECS API reference, data type Task, `stopCode`. */
export type StopCode = 'TaskFailedToStart' | 'EssentialContainerExited' | 'UserInitiated' | 'TerminationNotice';

/** A task as it is kept. Times are milliseconds since the epoch. */
export interface TaskRecord {
  /** 32 hex digits. */
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
  /** `clientToken` of the call and a digest of its parameters: what makes a repeat recognisable. */
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

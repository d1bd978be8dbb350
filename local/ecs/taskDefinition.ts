/** A program that RunTask can start here, in place of a registered task definition and its image. */
export interface TaskDefinition {
  /** Its cluster exists; as in ECS, a task of any family may run on any cluster. */
  readonly cluster: string;
  readonly family: string;
  readonly containerName: string;
  /** CPU units and MiB, as strings in ECS's answers. Shown, not enforced. */
  readonly cpu?: number;
  readonly memory?: number;
  readonly image: Image;
  /** Between SIGTERM and SIGKILL. Default: Fargate's 30 s. */
  readonly stopTimeoutSeconds?: number;
}

/** @param given The variables of the task's overrides. */
type EnvironmentOfTask = (given: Readonly<Record<string, string>>) => Promise<Record<string, string>>;

export interface Image {
  /** The program and its first arguments. */
  readonly entryPoint: readonly string[];
  /** The variables of the image. A function is called for each task ("image pull") and may take its time. */
  readonly environment: Readonly<Record<string, string>> | EnvironmentOfTask;
  /** Called with all variables of a task that has ended and whose processes were killed, to remove what it has left. */
  readonly release?: (variables: Readonly<Record<string, string>>) => Promise<void>;
  /** Default `/`. */
  readonly cwd?: string;
}

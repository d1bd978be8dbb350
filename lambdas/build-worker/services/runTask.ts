import type { TaskOverride } from '@aws-sdk/client-ecs';
import { VerenError } from '../../../contract/errors.ts';
import type { EcsCalls } from '../../shared/adapters/aws/clients.ts';
import { findTask } from '../../shared/findTask.ts';
import type { ECSConfig } from '../config/ECSconfig.ts';

export interface NetworkConfig {
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  /** Only where the subnets have no NAT gateway. */
  readonly assignPublicIp: boolean;
}

export interface StartTaskInput {
  readonly config: ECSConfig;
  readonly override: TaskOverride;
  /** Makes the call idempotent, and is the task's `startedBy`, by which the task can be found later. */
  readonly token: string;
  readonly network: NetworkConfig | null;
  readonly spot: boolean;
  /** Tags on the task, beside those of its task definition, by which costs can be grouped. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface RunningTask {
  readonly taskArn: string;
  /**
   * True for a task of an earlier call with the same token: it has that call's overrides, and ignores those of this
   * one.
   */
  readonly isEarlier: boolean;
}

/**
 * Starts one task, or finds the one that an earlier call with the same token started. Throws TASK_START_FAILED; its cause
 * is a `StartFailure`, which says whether a task may exist.
 */
export async function runTask(ecs: EcsCalls, input: StartTaskInput): Promise<RunningTask> {
  const { config, network } = input;
  const { RunTaskCommand } = await import('@aws-sdk/client-ecs');
  try {
    const { tasks, failures } = await ecs.send(
      new RunTaskCommand({
        cluster: config.CLUSTER,
        taskDefinition: config.TASK,
        count: 1,
        clientToken: input.token,
        startedBy: input.token,
        capacityProviderStrategy: [{ capacityProvider: input.spot ? 'FARGATE_SPOT' : 'FARGATE', weight: 1 }],
        overrides: input.override,
        propagateTags: 'TASK_DEFINITION',
        ...(input.tags && { tags: Object.entries(input.tags).map(([key, value]) => ({ key, value })) }),
        ...(network && {
          networkConfiguration: {
            awsvpcConfiguration: {
              subnets: [...network.subnets],
              securityGroups: [...network.securityGroups],
              assignPublicIp: network.assignPublicIp ? 'ENABLED' : 'DISABLED',
            },
          },
        }),
      }),
    );
    const arn = tasks?.[0]?.taskArn;
    if (arn) return { taskArn: arn, isEarlier: false };
    const reason = failures?.map((f) => f.reason ?? f.detail ?? 'unknown').join(', ') || 'no task and no failure';
    // If an earlier call with this token had started a task, this answer would contain it.
    throw new StartFailure(reason, 'none of this token');
  } catch (e) {
    const existing = isConflict(e) && (e.resourceIds?.[0] ?? (await findTask(ecs, config.CLUSTER, input.token)));
    if (existing) return { taskArn: existing, isEarlier: true };
    const failure = e instanceof StartFailure ? e : new StartFailure((e as Error).name, afterError(e), { cause: e });
    throw new VerenError('TASK_START_FAILED', { reason: failure.message }, { cause: failure });
  }
}

/**
 * What a failed start leaves behind. `none of this token`: ECS has answered that there is no task, and may give the
 * same answer to the same token again; `none of this call`: this call has started nothing; `unknown`: a task may exist,
 * so only a call with the same token is safe.
 */
export type Left = 'none of this token' | 'none of this call' | 'unknown';

export class StartFailure extends Error {
  readonly left: Left;
  constructor(reason: string, left: Left, options?: ErrorOptions) {
    super(reason, options);
    this.left = left;
  }
}

/** Same token, other parameters (a repeat has new credentials): ECS names the task that the token belongs to. */
const isConflict = (e: unknown): e is Error & { readonly resourceIds?: readonly string[] } =>
  (e as Error).name === 'ConflictException';

/**
 * A client error means that nothing was started only if the SDK has sent one request: where it has repeated the call,
 * an earlier request may have started the task and its answer was lost.
 */
function afterError(e: unknown): Left {
  const { httpStatusCode: status, attempts } =
    (e as { $metadata?: { httpStatusCode?: number; attempts?: number } }).$metadata ?? {};
  const refused = status !== undefined && status >= 400 && status < 500 && status !== 408 && !isConflict(e);
  return refused && attempts === 1 ? 'none of this call' : 'unknown';
}

/** Errors of the request itself: no repeat will cure them. Source: ECS API reference, RunTask. */
const PERMANENT = new Set([
  'InvalidParameterException',
  'ClientException',
  'ClusterNotFoundException',
  'AccessDeniedException',
  'PlatformUnknownException',
  'UnsupportedFeatureException',
]);

/** Why ECS will never accept this task; null where a repeat may help. */
export function refusalReason(e: unknown): string | null {
  const failure = e instanceof VerenError ? e.cause : undefined;
  if (!(failure instanceof StartFailure) || failure.left === 'unknown') return null;
  const cause = failure.cause as Error | undefined;
  return cause && PERMANENT.has(cause.name) ? `${cause.name}: ${cause.message}` : null;
}

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
  /** Makes the call idempotent, and is the task's `startedBy`, by which whoever comes later finds it. */
  readonly token: string;
  readonly network: NetworkConfig | null;
  readonly spot: boolean;
  /** On the task, beside those of its task definition: what costs are told apart by. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface RunningTask {
  readonly taskArn: string;
  /** It has the overrides of an earlier call of the same token, so nobody will read what this one's name. */
  readonly isEarlier: boolean;
}

/**
 * Starts one task, or finds the one that an earlier call with the same token started. Throws TASK_START_FAILED; its cause
 * is a `StartFailure`, which says what is known of the task now.
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
    // Had an earlier call of this token started a task, this answer would hold it.
    throw new StartFailure(reason, 'none of this token');
  } catch (e) {
    const existing = isConflict(e) && (e.resourceIds?.[0] ?? (await findTask(ecs, config.CLUSTER, input.token)));
    if (existing) return { taskArn: existing, isEarlier: true };
    const failure = e instanceof StartFailure ? e : new StartFailure((e as Error).name, afterError(e), { cause: e });
    throw new VerenError('TASK_START_FAILED', { reason: failure.message }, { cause: failure });
  }
}

/**
 * What a failed start leaves behind: `none of this token`: ECS has answered that there is no task, and may remember that
 * answer; `none of this call`: this call has started nothing; `unknown`: only the same token is safe.
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
 * A client error is an answer, if the SDK has asked once: where it has repeated the call by itself, the answer is the last
 * one's, and one before may have started the task and been lost.
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

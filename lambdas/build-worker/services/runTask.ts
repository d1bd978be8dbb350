import { type ECSClient, RunTaskCommand, type TaskOverride } from '@aws-sdk/client-ecs';
import { VerenError } from '../../../contract/errors.ts';
import type { ECSConfig } from '../config/ECSconfig.ts';

export interface NetworkConfig {
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  /** Only where the subnets have no NAT gateway. */
  readonly assignPublicIp: boolean;
}

export interface RunTaskInput {
  readonly config: ECSConfig;
  readonly override: TaskOverride;
  /** Makes the call idempotent, and is the task's `startedBy`, by which stop events find their build. */
  readonly token: string;
  readonly network: NetworkConfig | null;
  readonly spot: boolean;
}

/**
 * Starts one task, or finds the one that an earlier call with the same token started. Throws TASK_START_FAILED; its cause
 * tells `mayHaveStarted`: with that, only a call with the same token is safe.
 */
export async function runTask(ecs: ECSClient, input: RunTaskInput): Promise<string> {
  const { config, network } = input;
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
    if (arn) return arn;
    const reason = failures?.map((f) => f.reason ?? f.detail ?? 'unknown').join(', ') || 'no task and no failure';
    throw startFailed(reason, new NotStarted(reason));
  } catch (e) {
    if (e instanceof VerenError) throw e;
    // Same token, other parameters (a repeat has new credentials): ECS names the task that the token belongs to.
    const existing =
      e instanceof Error && e.name === 'ConflictException' && (e as { resourceIds?: string[] }).resourceIds;
    if (existing && existing[0] !== undefined) return existing[0];
    const { name } = e as Error;
    throw startFailed(name, isRefusal(e) ? new NotStarted(name, { cause: e }) : e);
  }
}

/** ECS has said that nothing was started: the next try may use a new token. */
export class NotStarted extends Error {}

const startFailed = (reason: string, cause: unknown) => new VerenError('TASK_START_FAILED', { reason }, { cause });

/** A client error is an answer; a timeout, a reset connection or a server error leaves open what happened. */
function isRefusal(e: unknown): boolean {
  const status = (e as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status !== undefined && status >= 400 && status < 500;
}

/** Errors of the request itself: no repeat will cure them. Source: ECS API reference, RunTask. */
export function isPermanent(e: VerenError): boolean {
  const name = ((e.cause as Error | undefined)?.cause as Error | undefined)?.name ?? '';
  return [
    'InvalidParameterException',
    'ClientException',
    'ClusterNotFoundException',
    'AccessDeniedException',
    'PlatformUnknownException',
    'UnsupportedFeatureException',
  ].includes(name);
}

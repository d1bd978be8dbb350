import type {
  BalancerCalls,
  EcsCalls,
  IamCalls,
  LogCalls,
  MetricCalls,
  ParameterCalls,
  ScalingCalls,
} from '../../clients.ts';
import type { ServiceNames } from '../resourceNames.ts';

/** What services that are always on are made with. */
export interface AlwaysOnAccess {
  readonly ecs: EcsCalls;
  readonly balancer: BalancerCalls;
  readonly scaling: ScalingCalls;
  readonly parameters: ParameterCalls;
  readonly iam: IamCalls;
  readonly logs: LogCalls;
  readonly metrics: MetricCalls;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Where they are made. */
export interface AlwaysOnPlace {
  readonly region: string;
  readonly account: string;
  readonly partition: string;
  readonly boundaryArn: string;
  readonly logRetentionDays: number;
  /** Of the load balancer, which has a rule per version. */
  readonly listenerArn: string;
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  /** Lets the load balancer in. */
  readonly taskGroupId: string;
  /** Let tasks out, to public addresses. */
  readonly openGroupIds: readonly string[];
  /** Of tasks that are attached to the VPC, in place of those. */
  readonly attachedGroupId: string;
  /** ECR repository of users' images. */
  readonly imagesArn: string;
}

export interface AlwaysOnSettings extends AlwaysOnPlace {
  readonly names: ServiceNames;
}

export const isNamed =
  (...names: string[]) =>
  (error: unknown): boolean =>
    names.includes((error as Error).name);

/** What a call gives; undefined where it fails by one of these names. */
export async function unless<T>(isExpected: (error: unknown) => boolean, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isExpected(error)) return undefined;
    throw error;
  }
}

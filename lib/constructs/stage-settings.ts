import { CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IConstruct } from 'constructs';
import type { Config, Stage } from '../config.ts';

/** Settings of a stage that nearly every construct needs. */
export interface StageSettings {
  readonly stage: Stage;
  readonly region: string;
  readonly logRetention: RetentionDays;
  /** The removal policy of data and of resources that data needs; everything else is always destroyed. */
  readonly removalPolicy: RemovalPolicy;
  readonly functionArchitecture: Config['functions']['architecture'];
  readonly gitFunctions: Config['functions']['git'];
  readonly tracing: boolean;
}

export const stageSettings = (config: Config): StageSettings => ({
  stage: config.stage,
  region: config.region,
  // The enum's values are numbers of days, and the schema allows exactly those.
  logRetention: config.logRetentionDays as RetentionDays,
  // Not RETAIN: that also keeps the named resources of a first deployment that failed, and then no second one succeeds.
  removalPolicy: config.removal === 'retain' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
  functionArchitecture: config.functions.architecture,
  gitFunctions: config.functions.git,
  tracing: config.functions.tracing,
});

/** Names that are global to an account (IAM roles, CloudFront functions): a stage may be in several regions of one. */
export const accountWideName = ({ stage, region }: Pick<StageSettings, 'stage' | 'region'>, name: string) =>
  `veren-${stage}-${region}-${name}`;

/**
 * Keeps resources that data needs (subnets of a cluster, users of a cache) for as long as the data is kept. Deleting
 * one of them under a resource that stays would fail, and so would the deletion of the whole stack.
 */
export function keepWithData(settings: StageSettings, ...scopes: readonly IConstruct[]): void {
  for (const scope of scopes)
    for (const child of scope.node.findAll())
      if (CfnResource.isCfnResource(child)) child.applyRemovalPolicy(settings.removalPolicy);
}

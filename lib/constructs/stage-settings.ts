import { RemovalPolicy } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Config, Stage } from '../config.ts';

/** What nearly every construct needs to know of the stage. */
export interface StageSettings {
  readonly stage: Stage;
  readonly logRetention: RetentionDays;
  /** For data; what can be made again is always destroyed. */
  readonly removalPolicy: RemovalPolicy;
  readonly functionArchitecture: Config['functions']['architecture'];
  readonly gitFunctions: Config['functions']['git'];
}

export const stageSettings = (config: Config): StageSettings => ({
  stage: config.stage,
  // The enum's values are numbers of days, and the schema allows exactly those.
  logRetention: config.logRetentionDays as RetentionDays,
  removalPolicy: config.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  functionArchitecture: config.functions.architecture,
  gitFunctions: config.functions.git,
});

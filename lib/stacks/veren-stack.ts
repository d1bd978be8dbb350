import { Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { zonesOf } from '../constructs/network.ts';
import { type StageSettings, stageSettings } from '../constructs/stage-settings.ts';

export interface VerenStackProps extends StackProps {
  readonly config: Config;
}

/** A stack of one stage: its name, tags and zones. */
export abstract class VerenStack extends Stack {
  protected readonly config: Config;
  protected readonly settings: StageSettings;

  constructor(scope: Construct, id: string, { config, ...props }: VerenStackProps) {
    super(scope, id, {
      stackName: `veren-${config.stage}-${id.toLowerCase()}`,
      env: { region: config.region, ...(config.account && { account: config.account }) },
      ...props,
    });
    this.config = config;
    this.settings = stageSettings(config);
    Tags.of(this).add('veren:stage', config.stage);
    for (const [name, value] of Object.entries(config.tags)) Tags.of(this).add(name, value);
  }

  /** Without this CDK would ask the account, or take two zones. */
  override get availabilityZones(): string[] {
    return zonesOf(this.config?.network ?? { availabilityZones: 3 });
  }
}

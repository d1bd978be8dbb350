import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { Config } from './config.ts';
import type { DashboardBuild } from './constructs/dashboard/dashboard-files.ts';
import { checkSessionPolicy, type SessionResources } from './session-policy.ts';
import { BuildersStack } from './stacks/builders-stack.ts';
import { DataStack } from './stacks/data-stack.ts';
import { NetworkStack } from './stacks/network-stack.ts';
import { ObservabilityStack } from './stacks/observability-stack.ts';
import { PipelineStack } from './stacks/pipeline-stack.ts';

export interface VerenStacks {
  readonly network: NetworkStack;
  readonly data: DataStack;
  readonly builders: BuildersStack;
  readonly pipeline: PipelineStack;
  readonly observability: ObservabilityStack;
}

/** What stacks need of handlers and of the dashboard. It is passed in, since `lib` never imports them. */
export interface HandlerFacts {
  /** ACL rules in Redis by function. */
  readonly redisRules: Readonly<Record<string, readonly string[]>>;
  /** Characters of the longest session policy that build-worker would ask for with these resources. */
  readonly longestSessionPolicy: (resources: SessionResources) => number;
  readonly dashboard: DashboardBuild;
}

/** Every stack of one stage. */
export function buildApp(app: App, config: Config, facts: HandlerFacts): VerenStacks {
  const { redisRules, longestSessionPolicy, dashboard } = facts;
  checkSessionPolicy(config, longestSessionPolicy);
  const network = new NetworkStack(app, 'Network', { config });
  const data = new DataStack(app, 'Data', { config, network: network.network, redisRules });
  const builders = new BuildersStack(app, 'Builders', { config, repositories: data.repositories });
  const pipeline = new PipelineStack(app, 'Pipeline', { config, network: network.network, data, builders, dashboard });
  const observability = new ObservabilityStack(app, 'Observability', { config, data, pipeline });
  return { network, data, builders, pipeline, observability };
}

/** Runs cdk-nag's AwsSolutions pack at synth: a finding without an acknowledgement fails it. */
export function addNag(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
}

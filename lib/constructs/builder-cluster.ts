import { Stack } from 'aws-cdk-lib';
import { CfnCluster } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { acknowledgeFindings } from './acknowledge.ts';

export interface BuilderClusterProps {
  readonly clusterName: string;
  readonly containerInsights: boolean;
}

/**
 * An ECS cluster that runs nothing but Fargate tasks. The L1 takes the capacity providers in the cluster itself; the L2
 * makes an association resource of its own, which emulators do not know.
 */
export class BuilderCluster extends Construct {
  readonly clusterName: string;
  readonly clusterArn: string;

  constructor(scope: Construct, id: string, { clusterName, containerInsights }: BuilderClusterProps) {
    super(scope, id);
    const cluster = new CfnCluster(this, 'Cluster', {
      clusterName,
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
      clusterSettings: [{ name: 'containerInsights', value: containerInsights ? 'enabled' : 'disabled' }],
    });
    if (!containerInsights)
      acknowledgeFindings(cluster, {
        'AwsSolutions-ECS4': 'Switched off by configuration (builders.containerInsights).',
      });
    // Text instead of references, so that renaming a cluster changes no export, and ARNs in other stacks are readable.
    this.clusterName = clusterName;
    this.clusterArn = Stack.of(this).formatArn({ service: 'ecs', resource: 'cluster', resourceName: clusterName });
  }
}

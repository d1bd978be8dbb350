import { CfnOutput } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Network } from '../constructs/network.ts';
import { ServiceRoles, servicesWithRole } from '../constructs/service-roles.ts';
import { VerenStack, type VerenStackProps } from './veren-stack.ts';

/** VPC and security groups. */
export class NetworkStack extends VerenStack {
  readonly network: Network;

  constructor(scope: Construct, id: string, props: VerenStackProps) {
    super(scope, id, { description: 'Veren: network', ...props });
    this.network = new Network(this, 'Network', {
      settings: this.settings,
      network: this.config.network,
      kafka: this.config.kafka,
      redis: this.config.redis,
      services: this.config.services,
    });
    this.exportAlways();
    const { services } = this.network;
    if (services) new CfnOutput(this, 'ServicesSecurityGroup', { value: services.attached.securityGroupId });
    // Here, in the first stack: a new role needs a while until services can assume it. Emulators have none.
    if (this.config.stage !== 'local')
      new ServiceRoles(this, 'ServiceRoles', {
        settings: this.settings,
        services: servicesWithRole(this.config),
      });
  }

  /**
   * Exports every id that another stack may use, also unused ones. CDK exports only what is used, and an export that a
   * change of kind (Kafka, Redis) makes superfluous could not be removed while the stack of the last deployment imports
   * it.
   */
  private exportAlways(): void {
    const { vpc, kafka, redis, functions, builderGroups } = this.network;
    for (const group of [kafka, redis, functions, ...builderGroups]) this.exportValue(group.securityGroupId);
    if (this.config.network.existing) return;
    for (const subnet of [...vpc.privateSubnets, ...vpc.isolatedSubnets]) this.exportValue(subnet.subnetId);
  }
}

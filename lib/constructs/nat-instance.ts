import {
  type CfnInstance,
  InstanceType,
  type ISecurityGroup,
  NatInstanceProviderV2,
  NatTrafficDirection,
  Peer,
  Port,
} from 'aws-cdk-lib/aws-ec2';
import { acknowledgeFindings } from './acknowledge.ts';

/**
 * One small instance in place of NAT gateways, for outgoing connections of functions. It has no state: with a newer
 * system image of Amazon's a deployment replaces it. docs/decisions/cdk-no-nat-gateway.md.
 */
export class NatInstance extends NatInstanceProviderV2 {
  constructor(instanceType: string) {
    super({
      instanceType: new InstanceType(instanceType),
      // The subnet does not assign a public address by itself.
      associatePublicIpAddress: true,
      defaultAllowedTraffic: NatTrafficDirection.NONE,
    });
  }

  /** Allows a group to use it; the group's own rules limit the destinations. Call it after the VPC was made. */
  openFor(groups: readonly ISecurityGroup[]): void {
    const own = this.connections.securityGroups[0] as ISecurityGroup;
    for (const group of groups) own.addIngressRule(group, Port.allTcp(), 'out through the NAT instance');
    own.addEgressRule(Peer.anyIpv4(), Port.allTcp(), 'to where functions go');
    for (const instance of this.gatewayInstances) {
      const resource = instance.node.defaultChild as CfnInstance;
      resource.blockDeviceMappings = [
        { deviceName: '/dev/xvda', ebs: { encrypted: true, volumeType: 'gp3', deleteOnTermination: true } },
      ];
      acknowledgeFindings(instance, {
        'AwsSolutions-EC28': 'Forwards what a few functions send; its state is watched by EC2, which recovers it.',
        'AwsSolutions-EC29': 'It holds nothing, and a newer system image replaces it.',
      });
    }
  }
}

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
 * One small instance in place of NAT gateways, for what functions send. It holds nothing: a newer system image of Amazon's
 * makes a new one when the stack is deployed. docs/decisions/cdk-no-nat-gateway.md.
 */
export class NatInstance extends NatInstanceProviderV2 {
  constructor(instanceType: string) {
    super({
      instanceType: new InstanceType(instanceType),
      // Its subnet gives none by itself.
      associatePublicIpAddress: true,
      defaultAllowedTraffic: NatTrafficDirection.NONE,
    });
  }

  /** Who may go out through it. What each may send is what its own group lets out. Call it when the VPC has been made. */
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

import {
  AclCidr,
  AclTraffic,
  Action,
  type IVpc,
  NetworkAcl,
  type SubnetSelection,
  TrafficDirection,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { ConfigError } from '../config.ts';
import { acknowledgeFindings } from './acknowledge.ts';

export interface BuilderAclProps {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  /** Block of the VPC. */
  readonly cidr: string;
  /** Blocks that builds may reach on these TCP ports although they are private. */
  readonly inside: readonly { readonly block: string; readonly ports: readonly number[] }[];
  /** Blocks of DNS servers other than Amazon's, which no list filters. */
  readonly dnsServers: readonly string[];
}

/** Private and link-local addresses, by the few blocks that the quota of 20 rules has room for. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16'];
/** Rules each way, the last one that denies the rest included. Source: Amazon VPC user guide, "Amazon VPC quotas". */
const QUOTA = 20;
/** Ports of answers: Linux uses those from 32768 on; the lower ones of other systems are allowed as well. */
const ANSWERS = AclTraffic.tcpPortRange(1_024, 65_535);

/**
 * A second protection of subnets where builders have public addresses. The first are their security groups, which allow
 * no incoming connections and outgoing ones to public addresses only. Network lists are stateless, so answers must be
 * allowed explicitly, and a list cannot close as much as the groups. It closes ports below 1024, all protocols but TCP,
 * and private addresses.
 */
export class BuilderAcl extends Construct {
  constructor(scope: Construct, id: string, { vpc, subnets, cidr, inside, dnsServers }: BuilderAclProps) {
    super(scope, id);
    const acl = new NetworkAcl(this, 'List', { vpc, subnetSelection: subnets });
    const closed = [...new Set([cidr, ...PRIVATE])];
    for (const direction of [TrafficDirection.EGRESS, TrafficDirection.INGRESS]) {
      const out = direction === TrafficDirection.EGRESS;
      let ruleNumber = 0;
      const rule = (block: string, traffic: AclTraffic, ruleAction = Action.ALLOW) => {
        ruleNumber += 10;
        const name = `${out ? 'Out' : 'In'}${ruleNumber}`;
        acl.addEntry(name, { cidr: AclCidr.ipv4(block), direction, ruleNumber, traffic, ruleAction });
      };
      for (const { block, ports } of inside)
        if (out) for (const port of ports) rule(block, AclTraffic.tcpPort(port));
        else rule(block, ANSWERS);
      for (const server of dnsServers) {
        rule(server, out ? AclTraffic.udpPort(53) : AclTraffic.udpPortRange(1_024, 65_535));
        if (out) rule(server, AclTraffic.tcpPort(53));
        else rule(server, ANSWERS);
      }
      for (const block of closed) rule(block, AclTraffic.allTraffic(), Action.DENY);
      if (out) for (const port of [443, 80]) rule('0.0.0.0/0', AclTraffic.tcpPort(port));
      else rule('0.0.0.0/0', ANSWERS);
      if (ruleNumber / 10 >= QUOTA)
        throw new ConfigError(
          `With network.natGateways 0 the builders' network list would have ${ruleNumber / 10} rules and the last one, and AWS ` +
            `takes ${QUOTA}: name fewer blocks in kafka.peers or network.dnsServers, or fewer ports in kafka.brokers.`,
        );
    }
    acknowledgeFindings(this, {
      'AwsSolutions-VPC3': 'The second wall of subnets with public addresses; security groups are the first.',
    });
  }
}

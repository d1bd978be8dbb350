import { Fn } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledge } from './acknowledge.ts';
import type { StageSettings } from './stage-settings.ts';

/** Ports that the security groups open between our own parts. */
const KAFKA_IAM_PORT = 9_098;
const REDIS_PORT = 6_379;

export interface NetworkProps {
  readonly settings: StageSettings;
  readonly network: Config['network'];
  /** Whether our own Kafka cluster and Redis are made, and need groups. */
  readonly ownKafka: boolean;
  readonly ownRedis: boolean;
}

/**
 * VPC, subnets and every security group. All groups are made here, so no stack needs to change another's: functions and
 * builders may talk out and to Kafka, functions alone to Redis; nothing may talk to a builder or a function.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly privateSubnets: SubnetSelection;
  readonly isolatedSubnets: SubnetSelection;
  readonly functions: SecurityGroup;
  readonly builders: SecurityGroup;
  readonly kafka: SecurityGroup | undefined;
  readonly redis: SecurityGroup | undefined;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { existing } = props.network;
    this.vpc = existing
      ? Vpc.fromVpcAttributes(this, 'Vpc', {
          vpcId: existing.vpcId,
          vpcCidrBlock: existing.cidr,
          availabilityZones: existing.availabilityZones,
          privateSubnetIds: existing.privateSubnetIds,
          isolatedSubnetIds: existing.isolatedSubnetIds,
        })
      : (this.makeVpc(props) as IVpc);
    if (existing)
      acknowledge(this, {
        '@aws-cdk/aws-ec2:noSubnetRouteTableId': 'Nothing here adds routes to subnets that belong to somebody else.',
      });
    const withEgress = existing || props.network.natGateways > 0;
    this.isolatedSubnets = { subnetType: SubnetType.PRIVATE_ISOLATED };
    this.privateSubnets = withEgress ? { subnetType: SubnetType.PRIVATE_WITH_EGRESS } : this.isolatedSubnets;

    this.functions = this.group('Functions', 'Functions in the VPC: nothing in, HTTPS out');
    this.functions.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs and git hosts');
    this.builders = this.group('Builders', 'Builder tasks: nothing in, HTTP and HTTPS out');
    this.builders.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'git hosts, package registries, S3, ECR');
    this.builders.addEgressRule(Peer.anyIpv4(), Port.tcp(80), 'package registries without TLS (Debian)');

    if (props.ownKafka) {
      this.kafka = this.group('Kafka', 'Brokers: IAM port from functions and builders');
      this.kafka.connections.allowFrom(this.functions, Port.tcp(KAFKA_IAM_PORT), 'functions');
      this.kafka.connections.allowFrom(this.builders, Port.tcp(KAFKA_IAM_PORT), 'builders');
      // The pollers of the event source mapping take the cluster's own group.
      this.kafka.connections.allowInternally(Port.tcp(KAFKA_IAM_PORT), 'event source pollers');
      this.kafka.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'event source pollers reach Lambda and STS');
    }
    if (props.ownRedis) {
      this.redis = this.group('Redis', 'Valkey: from functions only');
      this.redis.connections.allowFrom(this.functions, Port.tcp(REDIS_PORT), 'functions');
    }
  }

  private makeVpc({ settings, network }: NetworkProps): Vpc {
    const vpc = new Vpc(this, 'Vpc', {
      vpcName: `veren-${settings.stage}`,
      ipAddresses: IpAddresses.cidr(network.cidr),
      // Given, so that synth asks no account which zones there are.
      availabilityZones: Array.from({ length: network.availabilityZones }, (_, i) => Fn.select(i, Fn.getAzs())),
      natGateways: network.natGateways,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        ...(network.natGateways > 0
          ? [
              { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
              { name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
            ]
          : []),
        { name: 'isolated', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    });
    if (!network.flowLogs) {
      acknowledge(vpc, { 'AwsSolutions-VPC7': 'Switched off by configuration (network.flowLogs).' });
      return vpc;
    }
    const logGroup = new LogGroup(this, 'FlowLogs', {
      logGroupName: `/veren/${settings.stage}/flow-logs`,
      retention: settings.logRetention,
      removalPolicy: settings.removalPolicy,
    });
    vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(logGroup) });
    return vpc;
  }

  private group(id: string, description: string): SecurityGroup {
    return new SecurityGroup(this, id, { vpc: this.vpc, description, allowAllOutbound: false });
  }
}

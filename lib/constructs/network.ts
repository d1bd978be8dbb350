import { CfnResource, Fn, RemovalPolicy } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledgeFindings } from './acknowledge.ts';
import { BuilderAcl } from './builder-acl.ts';
import { mayChange } from './cross-stack.ts';
import { KAFKA_BROKER_PORT } from './kafka-broker.ts';
import { stageLogGroup } from './log-group.ts';
import { NatInstance } from './nat-instance.ts';
import { complementOf, NOT_PUBLIC, RULES_PER_GROUP } from './public-addresses.ts';
import { keepWithData, type StageSettings } from './stage-settings.ts';

/** Ports that the security groups open between Veren's own parts. */
const KAFKA_IAM_PORT = 9_098;
const REDIS_PORT = 6_379;

/** Interface endpoints by the names of `network.endpoints`. */
const ENDPOINT_SERVICES: Readonly<Record<Config['network']['endpoints'][number], InterfaceVpcEndpointAwsService[]>> = {
  ecr: [InterfaceVpcEndpointAwsService.ECR, InterfaceVpcEndpointAwsService.ECR_DOCKER],
  logs: [InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS],
  sts: [InterfaceVpcEndpointAwsService.STS],
  secretsmanager: [InterfaceVpcEndpointAwsService.SECRETS_MANAGER],
  lambda: [InterfaceVpcEndpointAwsService.LAMBDA],
  ecs: [InterfaceVpcEndpointAwsService.ECS],
  sqs: [InterfaceVpcEndpointAwsService.SQS],
  monitoring: [InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING],
};

/** What builds may reach by address: everything public that the configuration does not close. */
export const publicBlocks = ({ cidr, existing, closedToBuilds }: Config['network']): string[] =>
  complementOf([...NOT_PUBLIC, existing?.cidr ?? cidr, ...closedToBuilds]);

/** Without names CDK would ask the account, or take two zones. */
export const zonesOf = ({
  zones,
  availabilityZones,
}: Pick<Config['network'], 'zones' | 'availabilityZones'>): string[] =>
  zones ?? Array.from({ length: availabilityZones }, (_, i) => Fn.select(i, Fn.getAzs()));

const brokerPorts = (brokers: string) => new Set(brokers.split(',').map((broker) => Number(broker.split(':').at(-1))));
/** The port of brokers of our own; undefined where they are given. */
const ownKafkaPort = ({ kind }: Config['kafka']) =>
  ({ msk: KAFKA_IAM_PORT, broker: KAFKA_BROKER_PORT, given: undefined })[kind];
const redisPort = (url: string) => Number(new URL(url).port || REDIS_PORT);

export interface NetworkProps {
  readonly settings: StageSettings;
  readonly network: Config['network'];
  readonly kafka: Config['kafka'];
  readonly redis: Config['redis'];
  readonly services: Config['services'];
}

/** Groups of running backends. No rule lets one backend reach another. */
export interface ServiceGroups {
  /** Of backends that are attached to the VPC: nothing in, everything out. A database's group may allow it. */
  readonly attached: SecurityGroup;
  /** Where backends are always on. */
  readonly balanced?: BalancedGroups | undefined;
}

interface BalancedGroups {
  /** The load balancer: from CloudFront, to tasks. */
  readonly balancer: SecurityGroup;
  /** Tasks: from the load balancer alone. */
  readonly tasks: SecurityGroup;
  /** Of tasks that are not attached to the VPC: to public addresses alone. */
  readonly open: readonly SecurityGroup[];
}

/**
 * VPC, subnets and every security group. All groups are made here, so no stack needs to change another's: functions may talk
 * out, builders to public addresses, both to Kafka, functions alone to Redis; nothing may talk to a builder or a function.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly privateSubnets: SubnetSelection;
  readonly isolatedSubnets: SubnetSelection;
  /** Where builder tasks run: private subnets, or where there is no NAT gateway public ones of their own. */
  readonly builderSubnets: SubnetSelection;
  readonly buildersHavePublicIp: boolean;
  readonly functions: SecurityGroup;
  readonly builders: SecurityGroup;
  /** All security groups of a builder task: `builders`, and those that open public addresses. */
  readonly builderGroups: readonly SecurityGroup[];
  /**
   * Made also where Kafka and Redis are given, since another stack imports the groups, and an imported export cannot be
   * removed.
   */
  readonly kafka: SecurityGroup;
  readonly redis: SecurityGroup;
  /** @default - the stage runs no backends */
  readonly services: ServiceGroups | undefined;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { existing, natGateways } = props.network;
    const local = props.settings.stage === 'local';
    this.buildersHavePublicIp = !existing && !local && natGateways === 0;
    const nat = this.buildersHavePublicIp ? new NatInstance(props.network.natInstanceType) : undefined;
    this.vpc = existing
      ? Vpc.fromVpcAttributes(this, 'Vpc', {
          vpcId: existing.vpcId,
          vpcCidrBlock: existing.cidr,
          availabilityZones: existing.availabilityZones,
          privateSubnetIds: existing.privateSubnetIds,
          isolatedSubnetIds: existing.isolatedSubnetIds,
        })
      : (this.makeVpc(props, nat) as IVpc);
    if (existing)
      acknowledgeFindings(this, {
        '@aws-cdk/aws-ec2:noSubnetRouteTableId': 'Nothing here adds routes to subnets that belong to somebody else.',
      });
    const withEgress = existing || nat || natGateways > 0;
    this.isolatedSubnets = { subnetType: SubnetType.PRIVATE_ISOLATED };
    this.privateSubnets = withEgress ? { subnetType: SubnetType.PRIVATE_WITH_EGRESS } : this.isolatedSubnets;

    this.builderSubnets = nat ? { subnetGroupName: 'builders' } : this.privateSubnets;

    this.functions = this.group('Functions', 'Functions in the VPC: nothing in, HTTPS out');
    this.functions.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs and git hosts');
    this.builders = this.group('Builders', 'Builder tasks: nothing in; Kafka and what AWS has inside the VPC');
    this.builderGroups = [this.builders, ...this.publicAddresses(props)];
    this.kafka = this.group('Kafka', 'Brokers: IAM port from functions and builders');
    this.redis = this.group('Redis', 'Valkey: from functions only');
    this.services = props.services.enabled ? this.makeServiceGroups(props) : undefined;
    this.openOwn(props);
    this.openGiven(props);
    this.openDns(props.network.dnsServers);
    nat?.openFor([this.functions, this.kafka, ...this.serviceGroups()]);
    if (nat) this.closeBuilderSubnets(props);
    this.makeEndpoints(props.network.endpoints);
    if (props.settings.removalPolicy !== RemovalPolicy.DESTROY) this.keepUnderEngines(props.settings);
  }

  /**
   * HTTP and HTTPS to public addresses, and to no others. Security groups cannot deny, so every block around the private ones
   * is allowed; two groups per port, since a group has 60 rules and a task five groups. docs/decisions/cdk-builder-network.md.
   */
  private publicAddresses({ network }: NetworkProps): SecurityGroup[] {
    const blocks = publicBlocks(network);
    const halves = [blocks.slice(0, RULES_PER_GROUP), blocks.slice(RULES_PER_GROUP)];
    const groups = ([443, 80] as const).flatMap((port) =>
      halves.map((half, i) => ({ port, half, id: `${port}-${i + 1}` })),
    );
    return groups.map(({ port, half, id }) => {
      const group = this.group(`BuildersTo${id}`, `Builder tasks: port ${port} of public addresses (${id})`);
      for (const block of half) group.addEgressRule(Peer.ipv4(block), Port.tcp(port), 'git hosts, registries, AWS');
      return group;
    });
  }

  private makeServiceGroups({ network, services, settings }: NetworkProps): ServiceGroups {
    const attached = new SecurityGroup(this, 'Services', {
      vpc: this.vpc,
      description: 'Backends that are attached to the VPC: nothing in',
      allowAllOutbound: true,
    });
    const balanced = services.alwaysOn.enabled ? this.makeBalancedGroups(network) : undefined;
    mayChange(settings, attached, ...(balanced ? [balanced.balancer, balanced.tasks, ...balanced.open] : []));
    return { attached, balanced };
  }

  private makeBalancedGroups(network: Config['network']): BalancedGroups {
    const balancer = this.group('ServiceBalancer', 'Load balancer of backends: from CloudFront, to their tasks');
    const tasks = this.group('ServiceTasks', 'Tasks of backends: from their load balancer alone');
    // The port is the one of each backend's plan.
    tasks.connections.allowFrom(balancer, Port.allTcp(), 'load balancer of backends');
    const blocks = publicBlocks(network);
    const open = [blocks.slice(0, RULES_PER_GROUP), blocks.slice(RULES_PER_GROUP)].map((half, i) => {
      const group = this.group(`ServicesOut${i + 1}`, `Tasks of backends: to public addresses (${i + 1})`);
      for (const block of half) group.addEgressRule(Peer.ipv4(block), Port.allTcp(), 'public addresses');
      return group;
    });
    return { balancer, tasks, open };
  }

  /** Those that something of a backend sends through. */
  private serviceGroups(): SecurityGroup[] {
    if (!this.services) return [];
    const { attached, balanced } = this.services;
    return [attached, ...(balanced ? [balanced.tasks] : [])];
  }

  private openOwn({ kafka, redis }: NetworkProps): void {
    const port = ownKafkaPort(kafka);
    if (port !== undefined) {
      // The pollers of a broker's event source mapping are in the functions' group.
      this.kafka.connections.allowFrom(this.functions, Port.tcp(port), 'functions');
      this.kafka.connections.allowFrom(this.builders, Port.tcp(port), 'builders');
    }
    if (kafka.kind === 'msk') {
      // The pollers of the event source mapping take the cluster's own group.
      this.kafka.connections.allowInternally(Port.tcp(KAFKA_IAM_PORT), 'event source pollers');
      this.kafka.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'event source pollers reach Lambda and STS');
    }
    if (kafka.kind === 'broker') this.kafka.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'the broker reaches AWS');
    if (redis.kind === 'valkey') this.redis.connections.allowFrom(this.functions, Port.tcp(REDIS_PORT), 'functions');
  }

  /** Kafka and Redis that exist already: the ports that their addresses name. */
  private openGiven({ kafka, redis }: NetworkProps): void {
    const allowPeers = (group: SecurityGroup, peers: readonly string[], ports: ReadonlySet<number>, what: string) => {
      for (const peer of peers)
        for (const port of ports)
          group.addEgressRule(
            peer.startsWith('sg-') ? Peer.securityGroupId(peer) : Peer.ipv4(peer),
            Port.tcp(port),
            what,
          );
    };
    if (kafka.kind === 'given')
      for (const group of [this.functions, this.builders])
        allowPeers(group, kafka.peers ?? ['0.0.0.0/0'], brokerPorts(kafka.brokers), 'given Kafka');
    if (redis.kind === 'given') allowPeers(this.functions, redis.peers, new Set([redisPort(redis.url)]), 'given Redis');
  }

  private openDns(servers: readonly string[]): void {
    for (const group of [this.functions, this.builders, ...this.serviceGroups()])
      for (const server of servers)
        for (const port of [Port.udp(53), Port.tcp(53)]) group.addEgressRule(Peer.ipv4(server), port, 'DNS');
  }

  private makeEndpoints(names: Config['network']['endpoints']): void {
    if (names.length === 0) return;
    const group = this.group('Endpoints', 'AWS services inside the VPC: from functions and builders');
    group.connections.allowFrom(this.functions, Port.tcp(443), 'functions');
    group.connections.allowFrom(this.builders, Port.tcp(443), 'builders');
    group.connections.allowFrom(this.kafka, Port.tcp(443), 'event source pollers');
    // Their names lead here for everybody in the VPC.
    for (const services of this.serviceGroups()) group.connections.allowFrom(services, Port.tcp(443), 'backends');
    for (const name of names)
      for (const service of ENDPOINT_SERVICES[name])
        new InterfaceVpcEndpoint(this, `Endpoint-${service.shortName}`, {
          vpc: this.vpc,
          service,
          subnets: this.privateSubnets,
          securityGroups: [group],
          // The groups' rules say who may use it.
          open: false,
        });
  }

  /** Brokers and caches that stay after their stack was deleted still need their subnets and groups. */
  private keepUnderEngines(settings: StageSettings): void {
    const kept = new Set(['AWS::EC2::VPC', 'AWS::EC2::Subnet']);
    const ofVpc = this.vpc.node
      .findAll()
      .filter((child) => CfnResource.isCfnResource(child) && kept.has(child.cfnResourceType));
    keepWithData(settings, ...ofVpc, this.kafka, this.redis);
  }

  /** Subnets of builders with public addresses: their list, and ids that may go while build-worker still names them. */
  private closeBuilderSubnets({ settings, network, kafka }: NetworkProps): void {
    const { cidr, endpoints, dnsServers } = network;
    const ownPort = ownKafkaPort(kafka);
    const kafkaPorts = kafka.kind === 'given' ? [...brokerPorts(kafka.brokers)] : [];
    const own = [...(ownPort !== undefined ? [ownPort] : []), ...(endpoints.length > 0 ? [443] : [])];
    const peers = kafka.kind === 'given' ? (kafka.peers ?? ['0.0.0.0/0']) : [];
    // A group's members are somewhere in this VPC or in a peer of it.
    const blocks = new Set(peers.map((peer) => (peer.startsWith('sg-') ? '0.0.0.0/0' : peer)));
    new BuilderAcl(this, 'BuilderAcl', {
      vpc: this.vpc,
      subnets: this.builderSubnets,
      cidr,
      inside: [
        ...(own.length > 0 ? [{ block: cidr, ports: own }] : []),
        ...[...blocks].map((block) => ({ block, ports: kafkaPorts })),
      ],
      dnsServers,
    });
    mayChange(settings, ...this.vpc.selectSubnets(this.builderSubnets).subnets);
  }

  private makeVpc({ settings, network }: NetworkProps, nat: NatInstance | undefined): Vpc {
    const vpc = new Vpc(this, 'Vpc', {
      vpcName: `veren-${settings.stage}`,
      ipAddresses: IpAddresses.cidr(network.cidr),
      // Given, so that synth asks no account which zones there are.
      availabilityZones: zonesOf(network),
      natGateways: nat ? 1 : network.natGateways,
      ...(nat && { natGatewayProvider: nat, natGatewaySubnets: { subnetGroupName: 'public' } }),
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        ...(nat || network.natGateways > 0
          ? [
              { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
              { name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
            ]
          : []),
        { name: 'isolated', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
        // Last, so that the other subnets have the same blocks with NAT gateways and without.
        ...(nat ? [{ name: 'builders', subnetType: SubnetType.PUBLIC, cidrMask: 22, mapPublicIpOnLaunch: false }] : []),
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    });
    if (!network.flowLogs) {
      acknowledgeFindings(vpc, { 'AwsSolutions-VPC7': 'Switched off by configuration (network.flowLogs).' });
      return vpc;
    }
    const logGroup = stageLogGroup(this, 'FlowLogs', settings, `/veren/${settings.stage}/flow-logs`);
    vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(logGroup) });
    return vpc;
  }

  private group(id: string, description: string): SecurityGroup {
    return new SecurityGroup(this, id, { vpc: this.vpc, description, allowAllOutbound: false });
  }
}

import { CfnOutput, Duration } from 'aws-cdk-lib';
import { OriginProtocolPolicy, OriginSslPolicy, VpcOrigin, VpcOriginEndpoint } from 'aws-cdk-lib/aws-cloudfront';
import { CfnSecurityGroupIngress } from 'aws-cdk-lib/aws-ec2';
import {
  type ApplicationListener,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ListenerAction,
  ListenerCertificate,
  SslPolicy,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { serviceResources } from '../../../contract/serviceResources.ts';
import type { Config } from '../../config.ts';
import { acknowledgeFindings, acknowledgeWildcards } from '../acknowledge.ts';
import { acknowledgeAwsCalls } from '../aws-calls.ts';
import { mayChange } from '../cross-stack.ts';
import { stageLogGroup } from '../log-group.ts';
import type { Network } from '../network.ts';
import type { StageSettings } from '../stage-settings.ts';

export interface ServiceBalancerProps {
  readonly settings: StageSettings;
  readonly network: Network;
  /** @default - CloudFront speaks HTTP with it */
  readonly domain?: Config['services']['alwaysOn']['domain'];
  /** @default - none are kept */
  readonly accessLogs?: IBucket | undefined;
}

/** What CloudFront names the group of its interfaces in a VPC. Source: CloudFront developer guide, "Restrict access with VPC origins". */
const CLOUDFRONT_GROUP = 'CloudFront-VPCOrigins-Service-SG';
/** CloudFront ends a WebSocket after ten minutes of silence; until then the balancer keeps it. */
const LONGEST_SILENCE = Duration.minutes(10);

/**
 * The one load balancer of a stage's backends that are always on. It has no public address: CloudFront's own interfaces in
 * the VPC reach it, and nothing else does. The releaser gives it a rule per version.
 */
export class ServiceBalancer extends Construct {
  readonly listener: ApplicationListener;
  readonly origin: VpcOrigin;
  /** By which CloudFront calls it. */
  readonly domainName: string;

  constructor(scope: Construct, id: string, { settings, network, domain, accessLogs }: ServiceBalancerProps) {
    super(scope, id);
    const groups = network.services?.balanced;
    if (!groups) throw new Error('a load balancer of services needs its groups');
    const balancer = new ApplicationLoadBalancer(this, 'Balancer', {
      loadBalancerName: serviceResources(settings.stage, settings.region).balancer,
      vpc: network.vpc,
      vpcSubnets: network.privateSubnets,
      internetFacing: false,
      securityGroup: groups.balancer,
      idleTimeout: LONGEST_SILENCE,
    });
    if (accessLogs) balancer.logAccessLogs(accessLogs, 'services');
    else acknowledgeFindings(balancer, { 'AwsSolutions-ELB2': 'Switched off by configuration (sites.accessLogs).' });
    const port = domain ? 443 : 80;
    this.listener = balancer.addListener('Listener', {
      port,
      protocol: domain ? ApplicationProtocol.HTTPS : ApplicationProtocol.HTTP,
      ...(domain && {
        certificates: [ListenerCertificate.fromArn(domain.certificateArn)],
        sslPolicy: SslPolicy.RECOMMENDED_TLS,
      }),
      open: false,
      // Of a version that rests, or is gone.
      defaultAction: ListenerAction.fixedResponse(503, {
        contentType: 'text/plain',
        messageBody: 'The backend is not there.',
      }),
    });
    this.origin = new VpcOrigin(this, 'Origin', {
      endpoint: VpcOriginEndpoint.applicationLoadBalancer(balancer),
      protocolPolicy: domain ? OriginProtocolPolicy.HTTPS_ONLY : OriginProtocolPolicy.HTTP_ONLY,
      originSslProtocols: [OriginSslPolicy.TLS_V1_2],
    });
    // CloudFront asks for an Active balancer, and one without a listener answers nothing.
    this.origin.node.addDependency(this.listener);
    this.domainName = domain?.name ?? balancer.loadBalancerDnsName;
    mayChange(settings, balancer);
    this.openToCloudFront(settings, network, port);
    new CfnOutput(this, 'Name', { value: balancer.loadBalancerDnsName });
  }

  /** Its group exists once the VPC has an origin, and not before. */
  private openToCloudFront(settings: StageSettings, { vpc, services }: Network, port: number): void {
    const call = {
      service: 'EC2',
      action: 'describeSecurityGroups',
      parameters: {
        Filters: [
          { Name: 'group-name', Values: [CLOUDFRONT_GROUP] },
          { Name: 'vpc-id', Values: [vpc.vpcId] },
        ],
      },
      outputPaths: ['SecurityGroups.0.GroupId'],
      physicalResourceId: PhysicalResourceId.of(this.origin.vpcOriginId),
    };
    const group = new AwsCustomResource(this, 'CloudFrontGroup', {
      onCreate: call,
      onUpdate: call,
      installLatestAwsSdk: false,
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['ec2:DescribeSecurityGroups'], resources: ['*'] }),
      ]),
      logGroup: stageLogGroup(this, 'Logs', settings),
    });
    acknowledgeWildcards(group, ['*'], 'EC2 describes groups of the account or none; nothing else may be done.');
    acknowledgeAwsCalls(this);
    new CfnSecurityGroupIngress(this, 'FromCloudFront', {
      groupId: `${services?.balanced?.balancer.securityGroupId}`,
      sourceSecurityGroupId: group.getResponseField('SecurityGroups.0.GroupId'),
      ipProtocol: 'tcp',
      fromPort: port,
      toPort: port,
      description: 'VPC origins of CloudFront',
    });
  }
}

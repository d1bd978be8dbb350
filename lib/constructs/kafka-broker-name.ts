import { Duration } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { ARecord, PrivateHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { AwsCustomResource, AwsCustomResourcePolicy } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { acknowledgeAwsCalls } from './aws-calls.ts';
import { stageLogGroup } from './log-group.ts';
import type { StageSettings } from './stage-settings.ts';

/** Of RFC 5737's block for documentation: nobody has it. */
const PLACEHOLDER = '192.0.2.1';
const TTL_SECONDS = 10;

export interface BrokerNameProps {
  readonly settings: StageSettings;
  readonly vpc: IVpc;
  /** In the zone `veren-<stage>.internal`. */
  readonly host: string;
}

/**
 * The broker's name in a private zone. CloudFormation makes its record with a placeholder, and each instance writes its own
 * address into it. CloudFormation deletes a record by the values that it knows, and a zone only when it is empty: so the
 * placeholder is written again before the record goes. Instances must go first, so they depend on this.
 */
export class BrokerName extends Construct {
  readonly zone: PrivateHostedZone;

  constructor(scope: Construct, id: string, { settings, vpc, host }: BrokerNameProps) {
    super(scope, id);
    this.zone = new PrivateHostedZone(this, 'Zone', { zoneName: `veren-${settings.stage}.internal`, vpc });
    const record = new ARecord(this, 'Record', {
      zone: this.zone,
      recordName: `${host}.`,
      target: RecordTarget.fromIpAddresses(PLACEHOLDER),
      ttl: Duration.seconds(TTL_SECONDS),
    });
    const placeholder = {
      ...{ Name: host, Type: 'A', TTL: TTL_SECONDS },
      ResourceRecords: [{ Value: PLACEHOLDER }],
    };
    const restore = new AwsCustomResource(this, 'Restore', {
      onDelete: {
        service: 'Route53',
        action: 'changeResourceRecordSets',
        parameters: {
          HostedZoneId: this.zone.hostedZoneId,
          ChangeBatch: { Changes: [{ Action: 'UPSERT', ResourceRecordSet: placeholder }] },
        },
      },
      installLatestAwsSdk: false,
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({
          actions: ['route53:ChangeResourceRecordSets'],
          resources: [this.zone.hostedZoneArn],
          conditions: {
            'ForAllValues:StringEquals': {
              'route53:ChangeResourceRecordSetsNormalizedRecordNames': [host],
              'route53:ChangeResourceRecordSetsRecordTypes': ['A'],
              'route53:ChangeResourceRecordSetsActions': ['UPSERT'],
            },
          },
        }),
      ]),
      logGroup: stageLogGroup(this, 'RestoreLogs', settings),
    });
    acknowledgeAwsCalls(this);
    restore.node.addDependency(record);
  }
}

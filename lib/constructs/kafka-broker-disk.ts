import { Aws, Stack } from 'aws-cdk-lib';
import { CfnLifecyclePolicy } from 'aws-cdk-lib/aws-dlm';
import { CfnVolume } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import { keepWithData, type StageSettings } from './stage-settings.ts';

export interface BrokerDiskProps {
  readonly settings: StageSettings;
  readonly kafka: Extract<Config['kafka'], { kind: 'broker' }>;
  readonly availabilityZone: string;
  /** Tag of the disk and of its snapshots. */
  readonly name: string;
}

/** The disk of the one broker, which every instance of it attaches, and its daily snapshots. */
export class BrokerDisk extends Construct {
  readonly volume: CfnVolume;

  constructor(scope: Construct, id: string, { settings, kafka, availabilityZone, name }: BrokerDiskProps) {
    super(scope, id);
    this.volume = new CfnVolume(this, 'Volume', {
      availabilityZone,
      size: kafka.storageGiB,
      volumeType: 'gp3',
      encrypted: true,
      ...(kafka.restoreFrom !== undefined && { snapshotId: kafka.restoreFrom }),
      tags: [{ key: 'Name', value: name }],
    });
    keepWithData(settings, this.volume);
    new CfnLifecyclePolicy(this, 'Snapshots', {
      description: `Daily snapshots of ${name}`,
      executionRoleArn: this.makeRole(name).roleArn,
      state: 'ENABLED',
      policyDetails: {
        resourceTypes: ['VOLUME'],
        targetTags: [{ key: 'Name', value: name }],
        schedules: [
          {
            name: 'daily',
            createRule: { interval: 24, intervalUnit: 'HOURS', times: ['02:00'] },
            retainRule: { count: kafka.snapshots },
            copyTags: true,
          },
        ],
      },
    });
  }

  private makeRole(name: string): Role {
    const role = new Role(this, 'SnapshotRole', {
      assumedBy: new ServicePrincipal('dlm.amazonaws.com'),
      description: 'Snapshots of the disk of the broker',
    });
    const stack = Stack.of(this);
    const volume = stack.formatArn({ service: 'ec2', resource: 'volume', resourceName: this.volume.ref });
    const snapshots = `arn:${Aws.PARTITION}:ec2:${stack.region}::snapshot/*`;
    const grant = (sid: string, actions: string[], resources: string[], conditions?: Record<string, unknown>) =>
      role.addToPolicy(new PolicyStatement({ sid, actions, resources, ...(conditions && { conditions }) }));
    grant('Make', ['ec2:CreateSnapshot'], [volume, snapshots]);
    grant('Tag', ['ec2:CreateTags'], [snapshots]);
    grant('See', ['ec2:DescribeVolumes', 'ec2:DescribeSnapshots', 'ec2:DescribeInstances'], ['*']);
    grant('Expire', ['ec2:DeleteSnapshot'], [snapshots], { StringEquals: { 'aws:ResourceTag/Name': name } });
    acknowledgeWildcards(
      role,
      ['*', snapshots],
      'Snapshots have ids that are made at run time, and lists none; it removes those with the tag of the disk alone.',
    );
    return role;
  }
}

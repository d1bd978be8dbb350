import { Fn } from 'aws-cdk-lib';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { KafkaEnv } from '../../contract/kafka-env.ts';
import type { Topic } from '../../contract/names.ts';
import { givenSecret } from './given-secret.ts';
import { grantSecret } from './grants.ts';

/** A Kafka cluster as functions and builders see it: how to reach it, and rights on it. */
export class KafkaConnection {
  readonly brokers: string;
  readonly security: KafkaEnv['KAFKA_SECURITY'];
  /** Present where access is by IAM. */
  readonly clusterArn: string | undefined;
  /** Present where access is by SCRAM: `{"username", "password"}`. */
  readonly secret: ISecret | undefined;
  /** The same of the user that builders log in as. */
  readonly builderSecret: ISecret | undefined;
  /** The authority of the brokers' certificates, where it is none that everybody trusts: `{"certificate"}`. */
  readonly authority: ISecret | undefined;

  private constructor(
    input: Pick<KafkaConnection, 'brokers' | 'security'> &
      Partial<Pick<KafkaConnection, 'clusterArn' | 'secret' | 'builderSecret' | 'authority'>>,
  ) {
    this.brokers = input.brokers;
    this.security = input.security;
    this.clusterArn = input.clusterArn;
    this.secret = input.secret;
    this.builderSecret = input.builderSecret;
    this.authority = input.authority;
  }

  /** An MSK cluster with IAM. */
  static iam(brokers: string, clusterArn: string): KafkaConnection {
    return new KafkaConnection({ brokers, security: 'iam', clusterArn });
  }

  /** Brokers with SCRAM and an authority of their own. */
  static scram(
    brokers: string,
    secrets: { readonly secret: ISecret; readonly builderSecret: ISecret; readonly authority: ISecret },
  ): KafkaConnection {
    return new KafkaConnection({ brokers, security: 'scram', ...secrets });
  }

  /** Endpoints from the configuration. */
  static given(
    scope: Construct,
    given: {
      brokers: string;
      security: KafkaEnv['KAFKA_SECURITY'];
      clusterArn?: string | undefined;
      secretArn?: string | undefined;
      builderSecretArn?: string | undefined;
      secretKeyArn?: string | undefined;
    },
  ): KafkaConnection {
    return new KafkaConnection({
      brokers: given.brokers,
      security: given.security,
      clusterArn: given.security === 'iam' ? given.clusterArn : undefined,
      secret: given.secretArn ? givenSecret(scope, 'KafkaSecret', given.secretArn, given.secretKeyArn) : undefined,
      builderSecret: given.builderSecretArn
        ? givenSecret(scope, 'KafkaBuilderSecret', given.builderSecretArn, given.secretKeyArn)
        : undefined,
    });
  }

  /** Variables of `contract/function-env.ts`. */
  environment(): Record<string, string> {
    return {
      KAFKA_BROKERS: this.brokers,
      KAFKA_SECURITY: this.security,
      ...(this.secret && { KAFKA_SECRET_ARN: this.secret.secretArn }),
      ...(this.authority && { KAFKA_CA_SECRET_ARN: this.authority.secretArn }),
    };
  }

  /** Write to these topics and nothing else. */
  grantWrite(grantee: IGrantable, topics: readonly Topic[]): void {
    this.grantPassword(grantee);
    for (const statement of this.writeStatements(topics)) grantee.grantPrincipal.addToPrincipalPolicy(statement);
  }

  /** Statements for writing to topics; empty where access is not by IAM. Source: MSK developer guide, "IAM access control". */
  writeStatements(topics: readonly Topic[]): PolicyStatement[] {
    if (!this.clusterArn) return [];
    return [
      new PolicyStatement({
        sid: 'KafkaConnect',
        // Producers are not idempotent; those of the version before are, and run while a deployment replaces them.
        actions: ['kafka-cluster:Connect', 'kafka-cluster:WriteDataIdempotently'],
        resources: [this.clusterArn],
      }),
      new PolicyStatement({
        sid: 'KafkaWrite',
        actions: ['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'],
        resources: topics.map((topic) => this.topicArn(topic)),
      }),
    ];
  }

  /**
   * Read topics, each in its consumer group: what the pollers of an event source mapping need of the function's role.
   * @param groups consumer group by topic
   */
  grantRead(grantee: IGrantable, groups: Readonly<Partial<Record<Topic, string>>>): void {
    this.grantPassword(grantee);
    if (!this.clusterArn) return;
    const addStatement = (actions: string[], resources: string[], sid: string) =>
      grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ sid, actions, resources }));
    addStatement(
      ['kafka-cluster:Connect', 'kafka-cluster:DescribeClusterDynamicConfiguration'],
      [this.clusterArn],
      'KafkaConnect',
    );
    addStatement(
      ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'],
      Object.keys(groups).map((t) => this.topicArn(t)),
      'KafkaRead',
    );
    addStatement(
      ['kafka-cluster:DescribeGroup', 'kafka-cluster:AlterGroup'],
      Object.values(groups).map((g) => this.groupArn(g)),
      'KafkaGroup',
    );
    addStatement(
      ['kafka:DescribeCluster', 'kafka:DescribeClusterV2', 'kafka:GetBootstrapBrokers'],
      [this.clusterArn],
      'MskDescribe',
    );
  }

  /** Make these topics and change their settings. */
  grantManageTopics(grantee: IGrantable, topics: readonly Topic[]): void {
    this.grantPassword(grantee);
    if (!this.clusterArn) return;
    for (const statement of [
      new PolicyStatement({ sid: 'KafkaConnect', actions: ['kafka-cluster:Connect'], resources: [this.clusterArn] }),
      new PolicyStatement({
        sid: 'KafkaTopics',
        actions: [
          'kafka-cluster:CreateTopic',
          'kafka-cluster:AlterTopic',
          'kafka-cluster:DescribeTopic',
          'kafka-cluster:AlterTopicDynamicConfiguration',
          'kafka-cluster:DescribeTopicDynamicConfiguration',
        ],
        resources: topics.map((topic) => this.topicArn(topic)),
      }),
    ])
      grantee.grantPrincipal.addToPrincipalPolicy(statement);
  }

  /** Where access is by SCRAM: the secret with user and password, and the authority's. */
  private grantPassword(grantee: IGrantable): void {
    if (this.secret) grantSecret(grantee, this.secret, 'KafkaPassword');
    if (this.authority) grantSecret(grantee, this.authority, 'KafkaAuthority');
  }

  private topicArn = (topic: string) => this.childArn('topic', topic);
  private groupArn = (group: string) => this.childArn('group', group);

  /** `…:cluster/name/uuid` → `…:<kind>/name/uuid/<child>`; also where the ARN is known at deployment only. */
  private childArn(kind: 'topic' | 'group', child: string): string {
    const parts = Fn.split(':cluster/', this.clusterArn as string, 2);
    return Fn.join('', [Fn.select(0, parts), `:${kind}/`, Fn.select(1, parts), `/${child}`]);
  }
}

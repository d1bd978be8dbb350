import { CfnOutput, Duration, SecretValue, Stack } from 'aws-cdk-lib';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledgeFindings } from '../constructs/acknowledge.ts';
import { ArtifactBucket } from '../constructs/artifact-bucket.ts';
import { namedBuilders } from '../constructs/builder-names.ts';
import { givenSecret } from '../constructs/given-secret.ts';
import { KafkaConnection } from '../constructs/kafka.ts';
import { KafkaBroker } from '../constructs/kafka-broker.ts';
import { KafkaTopics } from '../constructs/kafka-topics.ts';
import { MskCluster, replicationFor } from '../constructs/msk-cluster.ts';
import type { Network } from '../constructs/network.ts';
import { Repositories } from '../constructs/repositories.ts';
import { ServiceBalancer } from '../constructs/services/service-balancer.ts';
import { serviceArns } from '../constructs/services/service-runtime.ts';
import { SiteHosting } from '../constructs/sites/sites.ts';
import { type RedisAccess, Valkey } from '../constructs/valkey.ts';
import { VerenStack, type VerenStackProps } from './veren-stack.ts';

export interface DataStackProps extends VerenStackProps {
  readonly network: Network;
  /** ACL rules in Redis by function. */
  readonly redisRules: Readonly<Record<string, readonly string[]>>;
}

/**
 * Everything that holds state, and what is inseparable from it: bucket and its sites, repositories, Kafka and its topics,
 * Redis, the tokens. Protected against deletion; other stacks may come and go.
 */
export class DataStack extends VerenStack {
  readonly storage: ArtifactBucket;
  readonly repositories: Repositories;
  readonly kafka: KafkaConnection;
  readonly redis: RedisAccess;
  readonly tokens: ISecret;
  /** The key with which git tokens and variables are sealed in Redis. */
  readonly dataKey: ISecret;
  /** Signs and verifies messages (`contract/mac.ts`). */
  readonly signing: ISecret;
  /** Holds `{projectId}`. */
  readonly siteUrlTemplate: string;
  readonly msk: MskCluster | undefined;
  readonly broker: KafkaBroker | undefined;
  readonly valkey: Valkey | undefined;
  readonly sites: SiteHosting | undefined;
  /** Of backends that are always on. */
  readonly balancer: ServiceBalancer | undefined;

  constructor(scope: Construct, id: string, { network, redisRules, ...props }: DataStackProps) {
    super(scope, id, {
      description: 'Veren: bucket, sites, repositories, Kafka, Redis, tokens',
      terminationProtection: props.config.terminationProtection,
      ...props,
    });
    // Clusters of this stack and of those after it need roles of services that the network's stack makes.
    this.addStackDependency(Stack.of(network));
    const { config, settings } = this;
    this.storage = new ArtifactBucket(this, 'Storage', {
      settings,
      bucketName: config.bucketName,
      lifecycle: config.lifecycle,
      // Veren's own VPC has a gateway endpoint; whether an existing VPC has one is not known.
      handoverVpcId: config.network.existing || config.stage === 'local' ? undefined : network.vpc.vpcId,
    });
    this.repositories = new Repositories(this, 'Repositories', {
      settings,
      builders: namedBuilders(config.builders).map((b) => b.repository),
      userImages: config.userImageRepository,
      runBy: config.services.enabled ? serviceArns(this, settings).functions : undefined,
    });
    if (config.kafka.kind === 'msk') {
      this.msk = new MskCluster(this, 'Kafka', {
        settings,
        kafka: config.kafka,
        vpc: network.vpc,
        // Not isolated: the pollers of the event source mapping live in the brokers' subnets and call Lambda and STS.
        subnets: network.privateSubnets,
        securityGroup: network.kafka,
      });
      this.kafka = this.msk.access;
    } else if (config.kafka.kind === 'broker') {
      this.broker = new KafkaBroker(this, 'Broker', {
        settings,
        kafka: config.kafka,
        vpc: network.vpc,
        subnets: network.privateSubnets,
        securityGroup: network.kafka,
      });
      this.kafka = this.broker.access;
    } else this.kafka = KafkaConnection.given(this, config.kafka as Parameters<typeof KafkaConnection.given>[1]);
    this.makeTopics(network);

    if (config.redis.kind === 'valkey') {
      this.valkey = new Valkey(this, 'Redis', {
        settings,
        redis: config.redis,
        vpc: network.vpc,
        subnets: network.isolatedSubnets,
        securityGroup: network.redis,
        users: redisRules,
      });
      this.redis = this.valkey;
    } else this.redis = this.givenRedis();

    this.tokens = this.makeTokens();
    this.dataKey = this.makeDataKey();
    this.signing = this.makeSigning();
    if (config.sites.kind === 'cloudfront') {
      const { alwaysOn } = config.services;
      if (alwaysOn.enabled)
        this.balancer = new ServiceBalancer(this, 'Balancer', {
          ...{ settings, network, domain: alwaysOn.domain },
          accessLogs: config.sites.accessLogs ? (this.storage.accessLogs as IBucket) : undefined,
        });
      this.sites = new SiteHosting(this, 'Sites', {
        settings,
        sites: config.sites,
        services: config.services.enabled,
        balancer: this.balancer,
        bucket: this.storage,
        accessLogs: this.storage.accessLogs as IBucket,
        reservedConcurrency: config.functions.reservedConcurrency['site-fallback'],
      });
      this.siteUrlTemplate = this.sites.urlTemplate;
    } else this.siteUrlTemplate = config.sites.urlTemplate;

    new CfnOutput(this, 'BucketName', { value: this.storage.bucket.bucketName });
    new CfnOutput(this, 'SiteUrlTemplate', { value: this.siteUrlTemplate });
    new CfnOutput(this, 'TokensSecretArn', { value: this.tokens.secretArn });
    new CfnOutput(this, 'UserImages', { value: this.repositories.userImages(this).repositoryUri });
  }

  private makeTopics(network: Network): void {
    const { kafka } = this.config;
    if (kafka.kind === 'given' && kafka.topics === 'given') return;
    const { factor, minInSync } = replicationFor(copies(kafka));
    const topics = new KafkaTopics(this, 'Topics', {
      settings: this.settings,
      kafka: this.kafka,
      network: { vpc: network.vpc, subnets: network.privateSubnets, securityGroup: network.functions },
      partitions: kafka.partitions,
      replicationFactor: factor,
      minInSyncReplicas: minInSync,
      eventRetention: Duration.days(kafka.kind === 'given' ? 14 : kafka.eventRetentionDays),
      logRetention: Duration.days(kafka.kind === 'given' ? 3 : kafka.logRetentionDays),
    });
    if (this.broker) topics.node.addDependency(this.broker);
  }

  private givenRedis(): RedisAccess {
    const { redis } = this.config;
    if (redis.kind !== 'given') throw new Error('a Valkey group needs a network with a group for it');
    const secret = redis.secretArn && givenSecret(this, 'RedisSecret', redis.secretArn, redis.secretKeyArn);
    return { url: redis.url, loginOf: () => (secret ? { secret } : {}) };
  }

  /** The secret from which the keys of messages are derived. Made once; docs/operations.md says how to change it. */
  private makeSigning(): ISecret {
    const signing = new Secret(this, 'EventSigning', {
      secretName: `veren/${this.config.stage}/event-signing`,
      description: 'Signs messages in Kafka: {"current": "...", "accepted": ["..."]}. See docs/operations.md.',
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'current',
        passwordLength: 64,
        excludePunctuation: true,
      },
      removalPolicy: this.settings.removalPolicy,
    });
    acknowledgeFindings(signing, {
      'AwsSolutions-SMG4': 'Never leaves the account; a change has two steps that an operator takes (operations.md).',
    });
    return signing as ISecret;
  }

  /** Owner → SHA-256 of tokens. Made empty: nobody can call the API until an operator adds the first token. */
  private makeTokens(): ISecret {
    const tokens = new Secret(this, 'Tokens', {
      secretName: `veren/${this.config.stage}/tokens`,
      description: 'API tokens: JSON of owner to a list of SHA-256 hashes (hex). See docs/operations.md.',
      // CloudFormation writes this when the secret is made, and not again while the template says the same.
      secretStringValue: SecretValue.unsafePlainText('{}'),
      removalPolicy: this.settings.removalPolicy,
    });
    acknowledgeFindings(tokens, {
      'AwsSolutions-SMG4':
        'Tokens belong to people and scripts: a rotation that they do not know of would lock them out.',
    });
    return tokens as ISecret;
  }

  /** A random key, made once. An operator may add another and make it the current one (docs/operations.md). */
  private makeDataKey(): ISecret {
    const dataKey = new Secret(this, 'DataKey', {
      secretName: `veren/${this.config.stage}/data-key`,
      description: 'Keys that git tokens and variables of deployments are encrypted with. See docs/operations.md.',
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ current: '1' }),
        generateStringKey: 'key-1',
        passwordLength: 64,
        excludePunctuation: true,
      },
      removalPolicy: this.settings.removalPolicy,
    });
    acknowledgeFindings(dataKey, {
      'AwsSolutions-SMG4': 'A rotation that drops the key would make what waits in the queues unreadable.',
    });
    return dataKey as ISecret;
  }
}

/** Brokers that hold a copy of a topic; given ones are taken for three. */
const copies = (kafka: Config['kafka']) =>
  ({ msk: kafka.kind === 'msk' ? kafka.brokers : 0, broker: 1, given: 3 })[kafka.kind];

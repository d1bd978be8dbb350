import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  DescribeAddressesCommand,
  DescribeAvailabilityZonesCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { DescribeRepositoriesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { DescribeClustersCommand, ECSClient } from '@aws-sdk/client-ecs';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { KafkaClient, ListClustersV2Command } from '@aws-sdk/client-kafka';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  paginateListServiceQuotas,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Config, STAGE_STACKS } from '../config.ts';
import { SERVICE_ROLES } from '../constructs/service-roles.ts';
import { accountWideName } from '../constructs/stage-settings.ts';
import { sharedNames } from '../names.ts';

/** Quotas by what they limit, with AWS's codes. Source: the Service Quotas console. */
export const QUOTAS = {
  fargate: { service: 'fargate', code: 'L-3032A538' },
  fargateSpot: { service: 'fargate', code: 'L-36FBB829' },
  elasticIps: { service: 'ec2', code: 'L-0263D0A3' },
  vpcs: { service: 'vpc', code: 'L-F678F1CE' },
  groupRules: { service: 'vpc', code: 'L-0EA8095F' },
} as const;
export type QuotaName = keyof typeof QUOTAS;

export interface Facts {
  readonly account: string;
  /** Null: not bootstrapped. */
  readonly bootstrapVersion: number | null;
  readonly zones: readonly { readonly name: string; readonly id: string }[];
  readonly quotas: Readonly<Partial<Record<QuotaName, number>>>;
  /** Builds at once of the kind of machine that builds images; undefined where the quota is not listed. */
  readonly codeBuild: { readonly amd64?: number; readonly arm64?: number };
  readonly lambda: { readonly limit: number; readonly unreserved: number };
  readonly used: { readonly elasticIps: number; readonly vpcs: number };
  /** Service-linked roles that exist. */
  readonly serviceRoles: readonly string[];
  /** Status of the stage's stacks that exist, by id (`Network`, …). */
  readonly stacks: Readonly<Record<string, string>>;
  /** Names that are taken in this account: `<kind> <name>`. */
  readonly taken: readonly string[];
  /** The stage's own cluster, where it runs. */
  readonly msk?: {
    readonly brokers: number;
    readonly instanceType: string;
    readonly storageGiB: number | undefined;
    readonly version: string | undefined;
  };
}

type Answer<T> = Promise<T | null>;

/** Null where AWS answers that the resource does not exist; every other error is thrown. */
async function orNull<T>(call: Promise<T>, ...names: string[]): Answer<T> {
  try {
    return await call;
  } catch (e) {
    if (names.includes((e as Error).name)) return null;
    throw e;
  }
}

/** Reads the facts of an account and region by read-only calls, with the credentials of the environment. */
export async function readFacts(config: Config, qualifier: string): Promise<Facts> {
  const client = { region: config.region };
  const { Account: account = '' } = await new STSClient(client).send(new GetCallerIdentityCommand({}));
  const ec2 = new EC2Client(client);
  const [bootstrapVersion, zones, quotas, codeBuild, lambda, addresses, vpcs, serviceRoles, stacks, taken, msk] =
    await Promise.all([
      readBootstrapVersion(new SSMClient(client), qualifier),
      ec2.send(
        new DescribeAvailabilityZonesCommand({ Filters: [{ Name: 'zone-type', Values: ['availability-zone'] }] }),
      ),
      readQuotas(new ServiceQuotasClient(client)),
      readCodeBuildQuotas(new ServiceQuotasClient(client)),
      new LambdaClient(client).send(new GetAccountSettingsCommand({})),
      ec2.send(new DescribeAddressesCommand({})),
      ec2.send(new DescribeVpcsCommand({})),
      readServiceRoles(new IAMClient(client)),
      readStacks(new CloudFormationClient(client), config),
      readTakenNames(client, config, account),
      readMsk(new KafkaClient(client), config),
    ]);
  return {
    account,
    bootstrapVersion,
    zones: (zones.AvailabilityZones ?? [])
      .filter((zone) => zone.State === 'available')
      .map((zone) => ({ name: zone.ZoneName ?? '', id: zone.ZoneId ?? '' }))
      .sort((a, b) => a.name.localeCompare(b.name)),
    quotas,
    codeBuild,
    lambda: {
      limit: lambda.AccountLimit?.ConcurrentExecutions ?? 0,
      unreserved: lambda.AccountLimit?.UnreservedConcurrentExecutions ?? 0,
    },
    used: { elasticIps: addresses.Addresses?.length ?? 0, vpcs: vpcs.Vpcs?.length ?? 0 },
    serviceRoles,
    stacks,
    taken,
    ...(msk && { msk }),
  };
}

async function readBootstrapVersion(ssm: SSMClient, qualifier: string): Promise<number | null> {
  const Name = `/cdk-bootstrap/${qualifier}/version`;
  const answer = await orNull(ssm.send(new GetParameterCommand({ Name })), 'ParameterNotFound');
  return answer && Number(answer.Parameter?.Value);
}

async function readQuotas(client: ServiceQuotasClient): Promise<Facts['quotas']> {
  const readQuota = async ({ service, code }: (typeof QUOTAS)[QuotaName]) => {
    const input = { ServiceCode: service, QuotaCode: code };
    const applied = await orNull(client.send(new GetServiceQuotaCommand(input)), 'NoSuchResourceException');
    const answer = applied ?? (await client.send(new GetAWSDefaultServiceQuotaCommand(input)));
    return answer.Quota?.Value;
  };
  const entries = await Promise.all(
    Object.entries(QUOTAS).map(async ([name, quota]) => [name, await readQuota(quota)]),
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** By name: CodeBuild has a quota per kind of machine. */
async function readCodeBuildQuotas(client: ServiceQuotasClient): Promise<Facts['codeBuild']> {
  const found: { amd64?: number; arm64?: number } = {};
  for await (const page of paginateListServiceQuotas({ client }, { ServiceCode: 'codebuild' }))
    for (const { QuotaName = '', Value } of page.Quotas ?? []) {
      if (Value === undefined) continue;
      if (/builds for Linux\/Small environment/.test(QuotaName)) found.amd64 = Value;
      if (/builds for ARM\/Small environment/.test(QuotaName)) found.arm64 = Value;
    }
  return found;
}

async function readServiceRoles(iam: IAMClient): Promise<string[]> {
  const answers = await Promise.all(
    Object.values(SERVICE_ROLES).map((RoleName) =>
      orNull(iam.send(new GetRoleCommand({ RoleName })), 'NoSuchEntity', 'NoSuchEntityException'),
    ),
  );
  return answers.flatMap((answer) => answer?.Role?.RoleName ?? []);
}

async function readStacks(cloudFormation: CloudFormationClient, { stage }: Config): Promise<Record<string, string>> {
  const answers = await Promise.all(
    STAGE_STACKS.map(async (id) => {
      const StackName = `veren-${stage}-${id.toLowerCase()}`;
      // A stack that does not exist is a ValidationError, as is a name that cannot exist; ours can.
      const answer = await orNull(cloudFormation.send(new DescribeStacksCommand({ StackName })), 'ValidationError');
      return [id, answer?.Stacks?.[0]?.StackStatus] as const;
    }),
  );
  return Object.fromEntries(
    answers.filter(
      (entry): entry is [(typeof STAGE_STACKS)[number], NonNullable<(typeof entry)[1]>] => entry[1] !== undefined,
    ),
  );
}

async function readTakenNames(client: { region: string }, config: Config, account: string): Promise<string[]> {
  const names = sharedNames({ ...config, account });
  const bucket = names.bucketName?.[0] ?? '';
  const repositories = [...(names.userImageRepository ?? []), ...(names['builders.namePrefix'] ?? [])];
  const clusters = [...(names['builders.frontendCluster'] ?? []), ...(names['builders.backendCluster'] ?? [])];
  const role = accountWideName(config, 'build');
  const secret = `veren/${config.stage}/tokens`;
  const ecr = new ECRClient(client);
  const [heldBucket, heldRepositories, heldClusters, heldRole, heldSecret] = await Promise.all([
    bucketIsTaken(new S3Client(client), bucket),
    Promise.all(
      [...new Set(repositories)].map(async (name) =>
        (await orNull(
          ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [name] })),
          'RepositoryNotFoundException',
        ))
          ? [`repository ${name}`]
          : [],
      ),
    ),
    new ECSClient(client).send(new DescribeClustersCommand({ clusters })),
    orNull(new IAMClient(client).send(new GetRoleCommand({ RoleName: role })), 'NoSuchEntity', 'NoSuchEntityException'),
    orNull(
      new SecretsManagerClient(client).send(new DescribeSecretCommand({ SecretId: secret })),
      'ResourceNotFoundException',
    ),
  ]);
  return [
    ...(heldBucket ? [`bucket ${bucket}`] : []),
    ...heldRepositories.flat(),
    ...(heldClusters.clusters ?? []).filter((c) => c.status === 'ACTIVE').map((c) => `cluster ${c.clusterName}`),
    ...(heldRole ? [`role ${role}`] : []),
    ...(heldSecret ? [`secret ${secret}`] : []),
  ];
}

/** True also where it belongs to another account, for which AWS answers only "forbidden". */
async function bucketIsTaken(s3: S3Client, Bucket: string): Promise<boolean> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket }));
    return true;
  } catch (e) {
    const { name, $metadata } = e as Error & { $metadata?: { httpStatusCode?: number } };
    if (name === 'NotFound' || $metadata?.httpStatusCode === 404) return false;
    if ($metadata?.httpStatusCode === 403 || $metadata?.httpStatusCode === 301) return true;
    throw e;
  }
}

async function readMsk(kafka: KafkaClient, { stage }: Config): Promise<Facts['msk'] | null> {
  const name = `veren-${stage}`;
  const { ClusterInfoList = [] } = await kafka.send(new ListClustersV2Command({ ClusterNameFilter: name }));
  const provisioned = ClusterInfoList.find((c) => c.ClusterName === name)?.Provisioned;
  if (!provisioned) return null;
  return {
    brokers: provisioned.NumberOfBrokerNodes ?? 0,
    instanceType: provisioned.BrokerNodeGroupInfo?.InstanceType ?? '',
    storageGiB: provisioned.BrokerNodeGroupInfo?.StorageInfo?.EbsStorageInfo?.VolumeSize,
    version: provisioned.CurrentBrokerSoftwareInfo?.KafkaVersion,
  };
}

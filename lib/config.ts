import { z } from 'zod';
import { USER_IMAGE_REPOSITORY } from '../contract/builders.ts';
import { DEFAULT_REGION } from '../contract/names.ts';
import { complementOf, NOT_PUBLIC, RULES_PER_GROUP } from './constructs/public-addresses.ts';

/**
 * The one configuration object of the CDK app, made from `cdk.json` context (`stages.<name>`).
 * Every key is described in docs/deploy.md; `test/lib/config.test.ts` compares that table with this schema.
 */

export const STAGES = ['starter', 'dev', 'prod', 'local'] as const;
export type Stage = (typeof STAGES)[number];
/** Stacks of a stage, in the order of their deployment. */
export const STAGE_STACKS = ['Network', 'Data', 'Builders', 'Pipeline', 'Observability'] as const;

/** Retention that CloudWatch Logs offers, in days. Source: `PutRetentionPolicy` API reference. */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** CPU units and the memory (MiB) that Fargate allows with them. Source: ECS developer guide, task CPU and memory. */
const FARGATE_MEMORY: Readonly<Record<number, { min: number; max: number; step: number }>> = {
  1024: { min: 2_048, max: 8_192, step: 1_024 },
  2048: { min: 4_096, max: 16_384, step: 1_024 },
  4096: { min: 8_192, max: 30_720, step: 1_024 },
  8192: { min: 16_384, max: 61_440, step: 4_096 },
  16384: { min: 32_768, max: 122_880, step: 8_192 },
};
const CPU_SIZES = Object.keys(FARGATE_MEMORY).map(Number);

const wholeNumber = (min: number, max: number) => {
  const allowed = `a whole number from ${min} to ${max}`;
  return z.number({ error: allowed }).int({ error: allowed }).min(min, { error: allowed }).max(max, { error: allowed });
};
const matchingText = (pattern: RegExp, allowed: string) =>
  z.string({ error: allowed }).regex(pattern, { error: allowed });
const oneOf = <const T extends readonly (string | number)[]>(values: T) =>
  z.literal(values, { error: `one of ${values.join(', ')}` });
const flag = z.boolean({ error: 'true or false' });

const hostPort = matchingText(/^[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*$/, 'host:port, several separated by commas');
const arnOf = (service: string) => matchingText(new RegExp(`^arn:[\\w-]+:${service}:.+$`), `an ARN of ${service}`);
const ipv4Block = matchingText(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, 'an IPv4 block such as 10.40.0.0/16');
const zoneName = matchingText(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'the name of a zone, e.g. ap-south-1a');
/** Where a given engine is reached: blocks of addresses, or the ids of its security groups. */
const peers = z.array(
  matchingText(/^(\d{1,3}(\.\d{1,3}){3}\/\d{1,2}|sg-[0-9a-f]{8,17})$/, 'an IPv4 block or the id of a security group'),
);
const keyArn = matchingText(/^arn:[\w-]+:kms:.+:key\/.+$/, 'the ARN of a KMS key');
const domainName = matchingText(/^([a-z0-9-]+\.)+[a-z]{2,}$/, 'a domain name in lower case, e.g. sites.example.com');

const regionalCertificate = matchingText(
  /^arn:[\w-]+:acm:[\w-]+:\d{12}:certificate\/.+$/,
  'a certificate for <name> in the region of the stage',
);

const TaskSizeSchema = z
  .strictObject({
    cpu: oneOf(CPU_SIZES),
    memoryMiB: wholeNumber(2_048, 122_880),
    ephemeralStorageGiB: wholeNumber(21, 200),
    timeoutMinutes: wholeNumber(1, 55),
  })
  .superRefine(({ cpu, memoryMiB }, ctx) => {
    const fits = FARGATE_MEMORY[cpu];
    if (fits && (memoryMiB < fits.min || memoryMiB > fits.max || memoryMiB % fits.step))
      ctx.addIssue({
        code: 'custom',
        path: ['memoryMiB'],
        message: `with cpu ${cpu}: ${fits.min} to ${fits.max} in steps of ${fits.step}`,
      });
  });
export type TaskSize = z.infer<typeof TaskSizeSchema>;

/**
 * Interface endpoints of the services that are used here. Git hosts and package registries still need a way out of the
 * VPC.
 */
const ENDPOINTS = ['ecr', 'logs', 'sts', 'secretsmanager', 'lambda', 'ecs', 'sqs', 'monitoring'] as const;

const NetworkSchema = z.strictObject({
  cidr: matchingText(/^\d{1,3}(\.\d{1,3}){3}\/\d{2}$/, 'an IPv4 block such as 10.40.0.0/16').default('10.40.0.0/16'),
  availabilityZones: wholeNumber(2, 3).default(2),
  /** Names of the zones, as many as `availabilityZones`; without them AWS's first ones. */
  zones: z.array(zoneName).optional(),
  /** 0: builds get public addresses in subnets of their own, and functions go out through one small NAT instance. */
  natGateways: wholeNumber(0, 3).default(1),
  /** Instance type of that NAT instance. */
  natInstanceType: matchingText(/^[a-z]+\d+[a-z]*\.[a-z0-9]+$/, 'an EC2 instance type, e.g. t4g.nano').default(
    't4g.nano',
  ),
  flowLogs: flag.default(true),
  /** AWS services that are reached inside the VPC rather than through the NAT gateways. */
  endpoints: z.array(oneOf(ENDPOINTS)).default([]),
  /** DNS servers of a VPC that does not use Amazon's own, which no security group can close. */
  dnsServers: z.array(ipv4Block).default([]),
  /** Further blocks that builds may not reach; private and reserved ones are closed to them in any case. */
  closedToBuilds: z.array(ipv4Block).default([]),
  /** A VPC that exists already. Its subnets are given, not looked up: synth needs neither network nor credentials. */
  existing: z
    .strictObject({
      vpcId: matchingText(/^vpc-([0-9a-f]{8}|[0-9a-f]{17})$/, 'the id of a VPC'),
      cidr: matchingText(/^\d{1,3}(\.\d{1,3}){3}\/\d{2}$/, 'an IPv4 block such as 10.40.0.0/16'),
      availabilityZones: z
        .array(z.string())
        .min(2, { error: 'at least two zone names' })
        .max(3, { error: 'at most three zone names: MSK takes no more' }),
      privateSubnetIds: z.array(matchingText(/^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/, 'the id of a subnet')).min(2),
      isolatedSubnetIds: z.array(matchingText(/^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/, 'the id of a subnet')).min(2),
    })
    .superRefine((v, ctx) => {
      for (const key of ['privateSubnetIds', 'isolatedSubnetIds'] as const)
        if (v[key].length !== v.availabilityZones.length)
          ctx.addIssue({
            code: 'custom',
            path: [key],
            message: 'one subnet per zone in availabilityZones, same order',
          });
    })
    .optional(),
});

const KafkaSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('msk'),
      version: matchingText(/^\d+\.\d+\.(x|\d+)(\.kraft)?$/, 'a version that MSK offers, e.g. 3.9.x.kraft').default(
        '3.9.x.kraft',
      ),
      instanceType: matchingText(/^(kafka|express)\.[a-z0-9]+\.[a-z0-9]+$/, 'an MSK broker type, e.g. kafka.m7g.large'),
      brokers: wholeNumber(2, 15),
      storageGiB: wholeNumber(1, 16_384).default(20),
      partitions: wholeNumber(1, 100).default(3),
      eventRetentionDays: wholeNumber(1, 365).default(14),
      logRetentionDays: wholeNumber(1, 365).default(3),
      /** The cluster as it runs now. With it synth refuses changes that MSK does not make in one step. */
      deployed: z
        .strictObject({
          version: z.string().optional(),
          instanceType: z.string().optional(),
          brokers: wholeNumber(2, 15).optional(),
          storageGiB: wholeNumber(1, 16_384).optional(),
        })
        .optional(),
    }),
    z.strictObject({
      kind: z.literal('broker'),
      instanceType: matchingText(
        /^[a-z]+\d+g[a-z]*\.[a-z0-9]+$/,
        'an EC2 instance type with ARM, e.g. t4g.small',
      ).default('t4g.small'),
      storageGiB: wholeNumber(8, 16_384).default(8),
      partitions: wholeNumber(1, 100).default(3),
      eventRetentionDays: wholeNumber(1, 365).default(14),
      logRetentionDays: wholeNumber(1, 365).default(3),
      /** Daily snapshots of the disk that are kept. */
      snapshots: wholeNumber(1, 100).default(2),
      /** The disk is made anew from this snapshot. */
      restoreFrom: matchingText(/^snap-[0-9a-f]{8,17}$/, 'the id of a snapshot').optional(),
    }),
    z.strictObject({
      kind: z.literal('given'),
      brokers: hostPort,
      security: oneOf(['plaintext', 'tls', 'scram', 'iam']),
      /** For IAM: the MSK cluster that the brokers belong to. */
      clusterArn: arnOf('kafka').optional(),
      /** For SCRAM: a secret holding `{"username", "password"}`. */
      secretArn: arnOf('secretsmanager').optional(),
      /** For SCRAM: the same of the user that builders log in as, which may write to their two topics and nothing else. */
      builderSecretArn: arnOf('secretsmanager').optional(),
      /** The customer-managed key that these secrets are encrypted with. */
      secretKeyArn: keyArn.optional(),
      /** Where the brokers are, for the security groups of functions and builders. */
      peers: peers.optional(),
      partitions: wholeNumber(1, 100).default(3),
      /** `deployment`: the deployment makes the topics. `given`: they exist, or the brokers make them. */
      topics: oneOf(['deployment', 'given']).default('given'),
    }),
  ],
  { error: '"msk", "broker" or "given"' },
);

const RedisSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('valkey'),
      nodeType: matchingText(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, 'an ElastiCache node type, e.g. cache.t4g.small'),
      replicas: wholeNumber(0, 5),
      snapshotDays: wholeNumber(1, 35).default(7),
    }),
    z.strictObject({
      kind: z.literal('given'),
      url: matchingText(/^rediss?:\/\/[^@\s]+$/, 'redis:// or rediss:// with host and port, and no password in it'),
      /** A secret whose string is the password. */
      secretArn: arnOf('secretsmanager').optional(),
      /** The customer-managed key that the secret is encrypted with. */
      secretKeyArn: keyArn.optional(),
      /** Where the server is, for the security group of functions. */
      peers: peers.default(['0.0.0.0/0']),
    }),
  ],
  { error: '"valkey" or "given"' },
);

const SitesSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('cloudfront'),
      /** Sites are served at `https://{projectId}.<name>`. Without it: at the distribution's own name, one path per site. */
      domain: z
        .strictObject({
          name: domainName,
          certificateArn: matchingText(
            /^arn:[\w-]+:acm:us-east-1:\d{12}:certificate\/.+$/,
            'a certificate for *.<name> in us-east-1, where CloudFront looks for it',
          ),
          hostedZoneId: matchingText(/^Z[A-Z0-9]+$/, 'the id of a Route 53 hosted zone'),
          hostedZoneName: domainName,
        })
        .optional(),
      accessLogs: flag.default(true),
      /**
       * Projects may have domains of their own (`PUT /projects/{id}/domains/{name}`): a second distribution, of
       * tenants, stands beside the first one. Nothing that is served changes when it is switched on.
       */
      ownDomains: flag.default(false),
    }),
    z.strictObject({
      kind: z.literal('none'),
      urlTemplate: matchingText(/^https?:\/\/.*\{projectId\}.*$/, 'a URL that contains {projectId}'),
    }),
  ],
  { error: '"cloudfront" or "none"' },
);

const ecsName = matchingText(/^[a-zA-Z][\w-]{0,254}$/, 'the name of an ECS cluster');

type Msk = Extract<z.output<typeof KafkaSchema>, { kind: 'msk' }>;

/**
 * Changes that MSK accepts, and in which steps. Source: MSK developer guide, "Update the cluster" and API reference,
 * UpdateBroker*.
 */
export function mskSteps(kafka: Msk, deployed: NonNullable<Msk['deployed']>): [string[], string][] {
  const keys = ['version', 'instanceType', 'brokers', 'storageGiB'] as const;
  const changed = keys.filter((key) => deployed[key] !== undefined && deployed[key] !== kafka[key]);
  const found: [string[], string][] = [];
  if (deployed.brokers !== undefined && kafka.brokers < deployed.brokers)
    found.push([['brokers'], `${deployed.brokers} or more: CloudFormation takes no brokers away`]);
  if (deployed.storageGiB !== undefined && kafka.storageGiB < deployed.storageGiB)
    found.push([['storageGiB'], `${deployed.storageGiB} or more: disks only grow`]);
  if (changed.length > 1)
    found.push([
      ['deployed'],
      `one difference, since MSK changes one thing at a time. Steps: ${changed
        .map(
          (key, i) =>
            `${i + 1}. set kafka.${key} to ${formatValue(kafka[key])}, deploy Data, enter it in kafka.deployed`,
        )
        .join('; ')}`,
    ]);
  return found;
}

const shape = {
  account: matchingText(/^\d{12}$/, 'a 12-digit account id').optional(),
  region: matchingText(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region, e.g. ap-south-1').default(DEFAULT_REGION),
  terminationProtection: flag.default(true),
  /** What happens to data (bucket, images, Kafka, Redis, secrets) when its stack is deleted. */
  removal: oneOf(['retain', 'destroy']).default('retain'),
  /** Tags on every resource and on builders' tasks. */
  tags: z
    .record(
      matchingText(/^(?!aws:)[\w .:/=+@-]{1,128}$/, 'names of tags, not beginning with aws:'),
      matchingText(/^[\w .:/=+@-]{0,256}$/, 'values of tags'),
    )
    .default({}),
  bucketName: matchingText(
    /^[a-z0-9][a-z0-9.{}-]{1,90}[a-z0-9}]$/,
    'a bucket name; {account} and {region} are filled in',
  ).default('veren-v2-{account}-{region}'),
  userImageRepository: matchingText(/^[a-z0-9]+([._/-][a-z0-9]+)*$/, 'an ECR repository name').default(
    USER_IMAGE_REPOSITORY,
  ),
  logRetentionDays: oneOf(LOG_RETENTION_DAYS).default(30),
  network: NetworkSchema.prefault({}),
  kafka: KafkaSchema,
  redis: RedisSchema,
  builders: z.strictObject({
    /** `codebuild`: the deployment builds the images in the account. `none`: nothing builds them. */
    images: oneOf(['codebuild', 'none']).default('codebuild'),
    spot: flag.default(false),
    containerInsights: flag.default(true),
    frontendCluster: ecsName.default('builder'),
    backendCluster: ecsName.default('backend-builder'),
    /** Prefix of the names of task families and builders' repositories, for a second stage in an account and region. */
    namePrefix: matchingText(/^([a-z0-9]+-)*$/, 'small letters and digits, ending in "-"').default(''),
    frontend: TaskSizeSchema,
    backend: TaskSizeSchema,
  }),
  /** `any`: http, file and private addresses too; for the stage `local` alone. */
  gitHosts: oneOf(['public', 'any']).default('public'),
  /** Self-hosted git hosts whose APIs are sent the reports (and so the tokens) of projects. */
  gitApiHosts: z
    .array(
      matchingText(
        /^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?$/,
        'a host name in small letters, with its port where it is not 443',
      ),
    )
    .max(50)
    .default([]),
  limits: z.strictObject({
    global: wholeNumber(1, 1_000),
    perOwner: wholeNumber(1, 1_000),
    perProject: wholeNumber(1, 100),
    /** What every owner may use at most, beside builds. */
    owner: z
      .strictObject({
        requestsPerMinute: wholeNumber(1, 1_000_000).default(1_200),
        deploymentsPerHour: wholeNumber(1, 100_000).default(300),
        /** Sites, earlier deployments and caches in the bucket. */
        storageGiB: wholeNumber(1, 1_000_000).default(500),
      })
      .prefault({}),
    /** Owners with other limits, by name. */
    owners: z
      .record(
        z.string(),
        z.strictObject({
          builds: wholeNumber(1, 1_000).optional(),
          requestsPerMinute: wholeNumber(1, 1_000_000).optional(),
          deploymentsPerHour: wholeNumber(1, 100_000).optional(),
          storageGiB: wholeNumber(1, 1_000_000).optional(),
        }),
      )
      .default({}),
    /** Which builds a newer deployment of the same project and branch supersedes. */
    supersede: oneOf(['waiting', 'running', 'off']).default('waiting'),
  }),
  functions: z
    .strictObject({
      /** Packaging of the functions that run git: a container image holds the binary. `zip` needs git on the host. */
      git: oneOf(['image', 'zip']).default('image'),
      architecture: oneOf(['arm64', 'x86_64']).default('arm64'),
      /** AWS X-Ray traces of every function. */
      tracing: flag.default(false),
      /** Number of instances reserved for a function, which is also its limit; a new account has 10 in all. */
      reservedConcurrency: z
        .strictObject({
          api: wholeNumber(1, 10_000).optional(),
          'event-projector': wholeNumber(1, 10_000).optional(),
          'log-streamer': wholeNumber(1, 10_000).optional(),
          'site-fallback': wholeNumber(1, 10_000).optional(),
        })
        .prefault({}),
    })
    .prefault({}),
  projector: z
    .strictObject({
      batchSize: wholeNumber(1, 10_000).default(500),
      /** How long to gather a batch; 0 is Lambda's shortest, half a second. */
      batchingWindowSeconds: wholeNumber(0, 300).default(0),
      /** Provisioned pollers; retries, bisection and partial batches exist only with them. `null`: on-demand mode. */
      pollers: z
        .strictObject({ min: wholeNumber(1, 200), max: wholeNumber(1, 2_000) })
        .nullable()
        .default({ min: 1, max: 3 }),
    })
    .prefault({}),
  sites: SitesSchema,
  services: z
    .strictObject({
      /** Backends run on Lambda, behind the sites' own addresses. Not tried on an account yet. */
      enabled: flag.default(false),
      /** Backends of kind "always-on" run on Fargate, behind one load balancer of the stage, which costs also while idle. */
      alwaysOn: z
        .strictObject({
          enabled: flag.default(false),
          /** CloudFront speaks TLS with the balancer, by this name and a certificate for it. Without it: HTTP inside the VPC. */
          domain: z
            .strictObject({
              name: domainName,
              certificateArn: regionalCertificate,
            })
            .optional(),
        })
        .prefault({}),
    })
    .prefault({}),
  dashboard: z
    .strictObject({
      /** The dashboard and the reference page, where `sites.kind` is "cloudfront". */
      enabled: flag.default(true),
      /** They are at `https://<name>`. Without it: at the distribution's own name. */
      domain: z
        .strictObject({
          name: domainName,
          certificateArn: matchingText(
            /^arn:[\w-]+:acm:us-east-1:\d{12}:certificate\/.+$/,
            'a certificate for <name> in us-east-1, where CloudFront looks for it',
          ),
          hostedZoneId: matchingText(/^Z[A-Z0-9]+$/, 'the id of a Route 53 hosted zone'),
          hostedZoneName: domainName,
        })
        .optional(),
    })
    .prefault({}),
  api: z
    .strictObject({
      requestsPerSecond: wholeNumber(1, 10_000).default(50),
      burst: wholeNumber(1, 5_000).default(100),
      /** The HTTP API is at `https://<name>`, beside AWS's own address. */
      domain: z
        .strictObject({
          name: domainName,
          certificateArn: regionalCertificate,
          hostedZoneId: matchingText(/^Z[A-Z0-9]+$/, 'the id of a Route 53 hosted zone'),
          hostedZoneName: domainName,
        })
        .optional(),
      /** For the stage `local` alone: base of an emulator's path-style addresses, in place of AWS's host names. */
      pathEndpoint: matchingText(/^http:\/\/[\w.-]+:\d{1,5}\/_aws$/, 'http://host:port/_aws').optional(),
    })
    .prefault({}),
  lifecycle: z
    .strictObject({
      cacheDays: wholeNumber(1, 3_650).default(30),
      logDays: wholeNumber(1, 3_650).default(90),
      // Without effect, and still accepted: files that production may serve do not expire by age.
      deploymentDays: wholeNumber(14, 3_650).default(90),
    })
    .prefault({}),
  alarms: z
    .strictObject({
      /** Gets a mail for every alarm. Absent: alarms show in CloudWatch only, and in the topic. */
      email: matchingText(/^[^@\s]+@[^@\s]+\.[^@\s]+$/, 'a mail address').optional(),
    })
    .prefault({}),
};

export const ConfigSchema = z.strictObject({ stage: oneOf(STAGES), ...shape }).superRefine((c, ctx) => {
  const addFault = (path: (string | number)[], message: string) => ctx.addIssue({ code: 'custom', path, message });
  if (c.gitHosts === 'any' && c.stage !== 'local')
    addFault(['gitHosts'], '"public": anything else would let users reach into the VPC');
  if (c.api.pathEndpoint && c.stage !== 'local')
    addFault(['api', 'pathEndpoint'], 'nothing: outside emulators API Gateway has host names');
  if (c.network.natGateways > c.network.availabilityZones)
    addFault(['network', 'natGateways'], 'at most one per zone (network.availabilityZones)');
  const { cidr, existing, closedToBuilds } = c.network;
  const rules = complementOf([...NOT_PUBLIC, existing?.cidr ?? cidr, ...closedToBuilds]).length;
  if (rules > 2 * RULES_PER_GROUP)
    addFault(
      ['network', 'closedToBuilds'],
      `blocks that need at most ${2 * RULES_PER_GROUP} rules of two security groups (${rules})`,
    );
  if (c.sites.kind === 'cloudfront' && /^(cn|us-gov|us-iso|eu-isoe)/.test(c.region))
    addFault(['sites', 'kind'], `"none" in ${c.region}, which has no CloudFront functions`);
  if (c.services.enabled && c.sites.kind !== 'cloudfront')
    addFault(['services', 'enabled'], 'false where sites.kind is "none": CloudFront leads to backends');
  if (c.services.alwaysOn.enabled && !c.services.enabled)
    addFault(['services', 'alwaysOn', 'enabled'], 'false where services.enabled is false');
  const { domain: balanced } = c.services.alwaysOn;
  if (balanced && !balanced.certificateArn.includes(`:acm:${c.region}:`))
    addFault(
      ['services', 'alwaysOn', 'domain', 'certificateArn'],
      `a certificate in ${c.region}, where the load balancer looks for it`,
    );
  if (c.network.zones && c.network.existing)
    addFault(['network', 'zones'], 'nothing: the zones of an existing VPC are in network.existing');
  if (c.network.zones && c.network.zones.length !== c.network.availabilityZones)
    addFault(['network', 'zones'], `as many names as network.availabilityZones (${c.network.availabilityZones})`);
  if (c.api.domain && !c.api.domain.certificateArn.includes(`:acm:${c.region}:`))
    addFault(['api', 'domain', 'certificateArn'], `a certificate in ${c.region}, where API Gateway looks for it`);
  if (c.kafka.kind === 'msk') {
    for (const [path, allowed] of mskSteps(c.kafka, c.kafka.deployed ?? {})) addFault(['kafka', ...path], allowed);
    const zones = c.network.existing?.availabilityZones.length ?? c.network.availabilityZones;
    if (c.kafka.brokers % zones)
      addFault(
        ['kafka', 'brokers'],
        `a multiple of the ${zones} availability zones: MSK places the same number in each`,
      );
  } else if (c.kafka.kind === 'broker') {
    if (c.network.dnsServers.length > 0)
      addFault(['network', 'dnsServers'], 'nothing with kafka.kind "broker", whose name Amazon’s DNS alone knows');
  } else {
    if (!c.kafka.peers && c.stage !== 'local')
      addFault(['kafka', 'peers'], 'blocks or security groups of the brokers: builders reach no other private address');
    if (c.kafka.security === 'iam' && !c.kafka.clusterArn)
      addFault(['kafka', 'clusterArn'], 'an ARN of kafka: security "iam" needs it');
    if (c.kafka.security === 'scram' && !c.kafka.secretArn)
      addFault(['kafka', 'secretArn'], 'an ARN of secretsmanager: security "scram" needs it');
    if (c.kafka.security === 'scram' && (!c.kafka.builderSecretArn || c.kafka.builderSecretArn === c.kafka.secretArn))
      addFault(
        ['kafka', 'builderSecretArn'],
        'an ARN of secretsmanager other than secretArn: security "scram" needs a user for builders that may only write to "build-events" and "build-logs"',
      );
  }
  if (c.limits.perProject > c.limits.perOwner || c.limits.perOwner > c.limits.global)
    addFault(['limits'], 'perProject <= perOwner <= global');
  for (const [owner, { builds }] of Object.entries(c.limits.owners))
    if (builds !== undefined && builds > c.limits.global)
      addFault(['limits', 'owners', owner, 'builds'], `at most limits.global (${c.limits.global})`);
  // Lambda allows 4 KB for all variables of a function.
  if (JSON.stringify(c.limits.owners).length > 1_500)
    addFault(['limits', 'owners'], 'at most 1500 characters as JSON: it is handed over in a variable');
  if (c.projector.pollers && c.projector.pollers.min > c.projector.pollers.max)
    addFault(['projector', 'pollers', 'min'], 'at most projector.pollers.max');
});
export type Config = z.output<typeof ConfigSchema>;

/** A faulty configuration: the message has one sentence per fault, each naming the key, the value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Validates the context value `stages[stage]`.
 * @throws {ConfigError} with every fault at once.
 */
export function loadConfig(stage: unknown, stages: unknown): Config {
  if (!STAGES.includes(stage as Stage))
    throw new ConfigError(`The stage is ${formatValue(stage)}; allowed is one of ${STAGES.join(', ')} (-c stage=dev).`);
  const given = (stages as Record<string, unknown> | undefined)?.[stage as Stage];
  if (typeof given !== 'object' || given === null)
    throw new ConfigError(`cdk.json has no "stages.${stage}" in its context; see docs/deploy.md for the keys.`);
  const parsed = ConfigSchema.safeParse({ ...given, stage });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => describeIssue(issue, given, String(stage)));
  throw new ConfigError(`The configuration is not valid.\n${faults.map((f) => `  - ${f}`).join('\n')}`);
}

/** The other valid stages of cdk.json, with which a stage may share an account. */
export const loadOtherStages = (stage: Stage, stages: unknown): Config[] =>
  STAGES.filter((other) => other !== stage).flatMap((other) => {
    const given = (stages as Record<string, object> | undefined)?.[other];
    const parsed = ConfigSchema.safeParse({ ...given, stage: other });
    return given && parsed.success ? [parsed.data] : [];
  });

function describeIssue(issue: z.core.$ZodIssue, given: object, stage: string): string {
  const formatKey = (path: PropertyKey[]) => ['stages', stage, ...path].map(String).join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((k) => `${formatKey([...issue.path, k])} is not a key of the configuration.`).join(' ');
  const value = issue.path.reduce<unknown>(
    (at, part) => (at as Record<PropertyKey, unknown> | undefined)?.[part],
    given,
  );
  return `${formatKey(issue.path)} is ${formatValue(value)}; allowed is ${issue.message}.`;
}

const formatValue = (value: unknown) => (value === undefined ? 'missing' : JSON.stringify(value));

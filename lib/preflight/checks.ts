import { NODE_MAJORS } from '../../contract/node-lines.ts';
import { type Config, mskSteps } from '../config.ts';
import { publicBlocks } from '../constructs/network.ts';
import { RULES_PER_GROUP } from '../constructs/public-addresses.ts';
import { SERVICE_ROLES, servicesWithRole } from '../constructs/service-roles.ts';
import type { Facts } from './facts.ts';

/** `stops`: the deployment would fail. `limits`: it works, and something will be slower or smaller than configured. */
export interface Finding {
  readonly level: 'stops' | 'limits' | 'note';
  readonly says: string;
  readonly todo: string;
}

/** That `DefaultStackSynthesizer` asks for. */
const BOOTSTRAP_VERSION = 6;
/** Lambda keeps this many instances for functions without a reservation. Source: Lambda guide, reserved concurrency. */
const LAMBDA_UNRESERVED = 100;
/** Zones in which MSK makes no brokers. Source: MSK guide, "Create a cluster". */
const ZONES_WITHOUT_MSK = new Set(['use1-az3']);

type Check = (config: Config, facts: Facts) => Finding[];

const stopFinding = (says: string, todo: string): Finding[] => [{ level: 'stops', says, todo }];
const limitFinding = (says: string, todo: string): Finding[] => [{ level: 'limits', says, todo }];

const checkAccount: Check = (config, facts) =>
  config.account && config.account !== facts.account
    ? stopFinding(
        `The credentials are of account ${facts.account}, and the stage belongs to ${config.account}.`,
        'Use others.',
      )
    : [];

const checkBootstrap: Check = (config, { bootstrapVersion, account }) => {
  const command = `npx cdk bootstrap aws://${account}/${config.region}`;
  if (bootstrapVersion === null) return stopFinding(`${config.region} is not bootstrapped for CDK.`, `Run: ${command}`);
  return bootstrapVersion < BOOTSTRAP_VERSION
    ? stopFinding(
        `The bootstrap stack has version ${bootstrapVersion}; ${BOOTSTRAP_VERSION} is needed.`,
        `Run: ${command}`,
      )
    : [];
};

const checkZones: Check = ({ network, kafka, region }, facts) => {
  if (network.existing) return [];
  const known = new Map(facts.zones.map((zone) => [zone.name, zone.id]));
  const missing = (network.zones ?? []).filter((name) => !known.has(name));
  if (missing.length > 0)
    return stopFinding(
      `${region} has no zone ${missing.join(', ')}.`,
      `Name others in network.zones: ${[...known.keys()].join(', ')}.`,
    );
  if (known.size < network.availabilityZones)
    return stopFinding(`${region} has ${known.size} zones for this account.`, 'Lower network.availabilityZones.');
  const used = network.zones ?? facts.zones.slice(0, network.availabilityZones).map((zone) => zone.name);
  const refused = used.filter((name) => ZONES_WITHOUT_MSK.has(known.get(name) ?? ''));
  const others = [...known].filter(([, id]) => !ZONES_WITHOUT_MSK.has(id)).map(([name]) => name);
  return kafka.kind === 'msk' && refused.length > 0
    ? stopFinding(
        `MSK makes no brokers in zone ${refused.join(', ')} (${refused.map((name) => known.get(name)).join(', ')}).`,
        `Set network.zones to ${network.availabilityZones} of ${others.join(', ')}.`,
      )
    : [];
};

const isNew = (facts: Facts) => !('Network' in facts.stacks);

const checkAddresses: Check = ({ network }, facts) => {
  const { elasticIps, vpcs } = facts.quotas;
  if (network.existing || !isNew(facts)) return [];
  const request = 'Ask Service Quotas for more, or release some.';
  return [
    ...(elasticIps !== undefined && facts.used.elasticIps + network.natGateways > elasticIps
      ? stopFinding(
          `${network.natGateways} NAT gateways need as many elastic IPs; ${facts.used.elasticIps} of ${elasticIps} are in use.`,
          request,
        )
      : []),
    ...(vpcs !== undefined && facts.used.vpcs + 1 > vpcs
      ? stopFinding(`All ${vpcs} VPCs of the region are in use.`, `${request} Or give one in network.existing.`)
      : []),
  ];
};

const groupRules: Check = ({ network }, { quotas }) => {
  const rules = Math.min(publicBlocks(network).length, RULES_PER_GROUP);
  return quotas.groupRules !== undefined && rules > quotas.groupRules
    ? stopFinding(
        `The groups of builders have ${rules} rules each, and the account takes ${quotas.groupRules} per group.`,
        'Merge blocks in network.closedToBuilds, or ask Service Quotas for more.',
      )
    : [];
};

const checkFargate: Check = ({ builders, limits: builds }, { quotas }) => {
  const largest = Math.max(builders.frontend.cpu, builders.backend.cpu) / 1_024;
  const wanted = builds.global * largest;
  const kinds = builders.spot ? (['fargate', 'fargateSpot'] as const) : (['fargate'] as const);
  return kinds.flatMap((kind) => {
    const quota = quotas[kind];
    if (quota === undefined || quota >= wanted) return [];
    const what = `Fargate ${kind === 'fargateSpot' ? 'Spot ' : ''}vCPUs`;
    return quota < largest
      ? stopFinding(
          `The quota of ${quota} ${what} does not hold one build (${largest}).`,
          'Ask Service Quotas for more.',
        )
      : limitFinding(
          `${builds.global} builds at once may need ${wanted} ${what}; the quota is ${quota}.`,
          `Ask Service Quotas for more, or set limits.global to ${Math.floor(quota / largest)}.`,
        );
  });
};

const checkLambda: Check = ({ functions }, facts) => {
  const { limit } = facts.lambda;
  const reserved = Object.values(functions.reservedConcurrency).reduce<number>((sum, n) => sum + (n ?? 0), 0);
  const free = isNew(facts) ? facts.lambda.unreserved : limit;
  if (reserved > 0 && free - reserved < LAMBDA_UNRESERVED)
    return stopFinding(
      `functions.reservedConcurrency sets ${reserved} instances aside; of the account's ${limit} at least ${LAMBDA_UNRESERVED} must stay free.`,
      'Take it out until Service Quotas has raised "Concurrent executions" of Lambda.',
    );
  return limit < LAMBDA_UNRESERVED
    ? limitFinding(
        `The account runs ${limit} Lambda instances at once: followers of logs and the API share them.`,
        'Ask Service Quotas for more "Concurrent executions" of Lambda (1,000 is usual).',
      )
    : [];
};

const imageBuilds: Check = ({ builders, functions }, { codeBuild }) => {
  const images = [
    ...(builders.images === 'codebuild' ? [['amd64', NODE_MAJORS.length + 1] as const] : []),
    ...(functions.git === 'image' ? [[functions.architecture === 'arm64' ? 'arm64' : 'amd64', 2] as const] : []),
  ];
  return images.flatMap(([kind, count]) => {
    const quota = codeBuild[kind];
    if (quota === undefined || quota >= count) return [];
    const what = `CodeBuild builds at once on ${kind === 'arm64' ? 'ARM' : 'Linux'}/Small`;
    return quota === 0
      ? stopFinding(`The account has no ${what}.`, 'Ask Service Quotas for some; new accounts get them on request.')
      : limitFinding(
          `The account has ${quota} ${what}; ${count} images wait for each other.`,
          'Wait longer, or ask for more.',
        );
  });
};

const checkStacks: Check = ({ stage }, facts) =>
  Object.entries(facts.stacks).flatMap(([id, status]) => {
    const name = `veren-${stage}-${id.toLowerCase()}`;
    if (status === 'ROLLBACK_COMPLETE' || status === 'ROLLBACK_FAILED' || status === 'DELETE_FAILED')
      return stopFinding(
        `Stack ${name} is ${status}.`,
        `Delete it first: aws cloudformation delete-stack --stack-name ${name}`,
      );
    if (status.endsWith('_IN_PROGRESS')) return stopFinding(`Stack ${name} is ${status}.`, 'Wait until it has ended.');
    return [];
  });

/** The stack that makes each named resource. */
const MAKERS: readonly [RegExp, string][] = [
  [/^(bucket|repository|secret) /, 'Data'],
  [/^cluster /, 'Builders'],
  [/^role /, 'Pipeline'],
];
const checkNames: Check = (_, facts) => {
  const foreign = facts.taken.filter((name) => {
    const maker = MAKERS.find(([pattern]) => pattern.test(name))?.[1];
    return maker !== undefined && !(maker in facts.stacks);
  });
  return foreign.length > 0
    ? stopFinding(
        `There are already: ${foreign.join(', ')}.`,
        'They belong to another stage (give this one other names, docs/deploy.md "Two stages in one account") or were kept when a stack was destroyed (docs/deploy.md, "Destroy").',
      )
    : [];
};

const checkKafka: Check = ({ kafka }, { msk }) => {
  if (kafka.kind !== 'msk' || !msk) return [];
  return mskSteps(kafka, {
    brokers: msk.brokers,
    instanceType: msk.instanceType,
    ...(msk.storageGiB !== undefined && { storageGiB: msk.storageGiB }),
  }).flatMap(([, allowed]) =>
    stopFinding('The change of Kafka is not possible in one step.', `Allowed is ${allowed}.`),
  );
};

const serviceRoles: Check = (config, facts) =>
  servicesWithRole(config)
    .filter((service) => !facts.serviceRoles.includes(SERVICE_ROLES[service]))
    .map((service) => ({
      level: 'note' as const,
      says: `${SERVICE_ROLES[service]} does not exist yet; the deployment makes it.`,
      todo: `Where the deployment may not: aws iam create-service-linked-role --aws-service-name ${service}.amazonaws.com`,
    }));

const CHECKS = [
  checkAccount,
  checkBootstrap,
  checkStacks,
  checkZones,
  checkAddresses,
  groupRules,
  checkFargate,
  checkLambda,
  imageBuilds,
  checkNames,
  checkKafka,
  serviceRoles,
];

/** Findings that would stop or limit a deployment of this stage into an account with these facts. */
export const findProblems = (config: Config, facts: Facts): Finding[] =>
  CHECKS.flatMap((check) => check(config, facts));

const MARKS = { stops: 'STOPS ', limits: 'LIMITS', note: 'NOTE  ' } as const;
export const formatFinding = ({ level, says, todo }: Finding): string => `${MARKS[level]}  ${says}\n        ${todo}`;

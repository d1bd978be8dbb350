import { RegionInfo } from 'aws-cdk-lib/region-info';
import { type Config, ConfigError } from './config.ts';

/** ARNs that the session policy of a build names, written out as far as synth knows them. */
export interface SessionResources {
  readonly buildRoleArn: string;
  readonly bucketArn: string;
  readonly userImagesArn: string;
  readonly kafkaClusterArn?: string;
}

/** Of the text of a session policy. Source: STS API reference, AssumeRole, parameter Policy. */
const LIMIT = 2_048;
const ANY_ACCOUNT = '0'.repeat(12);
/** MSK puts a UUID and a number behind a cluster's name. */
const CLUSTER_SUFFIX = `${'0'.repeat(36)}-00`;

/** The ARNs of a stage, with a stand-in of the same length for what only a deployment knows. */
export function sessionResources(config: Config): SessionResources {
  const { region, account = ANY_ACCOUNT, kafka, stage } = config;
  const partition = RegionInfo.get(region).partition ?? 'aws';
  const bucketName = config.bucketName.replaceAll('{account}', account).replaceAll('{region}', region);
  const kafkaClusterArn =
    kafka.kind === 'msk'
      ? `arn:${partition}:kafka:${region}:${account}:cluster/veren-${stage}/${CLUSTER_SUFFIX}`
      : kafka.kind === 'given' && kafka.security === 'iam'
        ? kafka.clusterArn
        : undefined;
  return {
    buildRoleArn: '',
    bucketArn: `arn:${partition}:s3:::${bucketName}`,
    userImagesArn: `arn:${partition}:ecr:${region}:${account}:repository/${config.userImageRepository}`,
    ...(kafkaClusterArn !== undefined && { kafkaClusterArn }),
  };
}

/**
 * AssumeRole fails with a session policy that is too long, which would happen only for projects with long names. This
 * check finds it at synth.
 * @throws {ConfigError} naming the keys that make it long
 */
export function checkSessionPolicy(config: Config, longest: (resources: SessionResources) => number): void {
  const length = longest(sessionResources(config));
  if (length <= LIMIT) return;
  throw new ConfigError(
    `The session policy of a build would have ${length} characters, and STS takes ${LIMIT}: ` +
      `shorten stages.${config.stage}.bucketName, userImageRepository or the cluster's name in kafka.clusterArn.`,
  );
}

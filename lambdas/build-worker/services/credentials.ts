import { VerenError } from '../../../contract/errors.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { StsCalls } from '../../shared/adapters/aws/clients.ts';
import type { BuildCredentials } from './distributionHandler/environment.ts';

/** ARNs that a build's session policy names. `partition` is part of each, so other partitions work. */
export interface BuildResources {
  readonly buildRoleArn: string;
  readonly bucketArn: string;
  readonly userImagesArn: string;
  /** A backend may be stored as a folder: on a laptop without a container engine. @default - false */
  readonly serviceFolders?: boolean;
  /** Absent where Kafka is not MSK with IAM. */
  readonly kafkaClusterArn?: string;
}

/** Chained role sessions end after an hour at the latest (STS); a build's timeout must be shorter. */
export const MAX_SESSION_SECONDS = 3_600;
const MIN_SESSION_SECONDS = 900;

/** The fields of a build that decide its rights. */
type CredentialSubject = Pick<BuildJob, 'projectId' | 'deploymentId' | 'target' | 'lane'>;

export type MintCredentials = (
  job: CredentialSubject,
  attempt: number,
  timeoutSeconds: number,
) => Promise<BuildCredentials>;

export function mintCredentials(sts: StsCalls, resources: BuildResources): MintCredentials {
  return async (job, attempt, timeoutSeconds) => {
    try {
      const { AssumeRoleCommand } = await import('@aws-sdk/client-sts');
      const { Credentials: c } = await sts.send(
        new AssumeRoleCommand({
          RoleArn: resources.buildRoleArn,
          RoleSessionName: `${job.deploymentId}-${job.target}-${attempt}`.slice(0, 64),
          DurationSeconds: Math.min(MAX_SESSION_SECONDS, Math.max(MIN_SESSION_SECONDS, timeoutSeconds + 300)),
          Policy: JSON.stringify(sessionPolicy(job, resources)),
        }),
      );
      if (!c?.AccessKeyId || !c.SecretAccessKey || !c.SessionToken) throw new Error('STS gave no credentials');
      return { accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretAccessKey, sessionToken: c.SessionToken };
    } catch (e) {
      throw new VerenError('CREDENTIALS_FAILED', { reason: (e as Error).name }, { cause: e });
    }
  };
}

/**
 * The rights of one build: a frontend's on its own files and its lane's caches, and on nothing that production serves; a backend's to push to the
 * users' repository; both may write to the builders' topics.
 */
export function sessionPolicy(
  job: Pick<BuildJob, 'projectId' | 'deploymentId' | 'target' | 'lane'>,
  resources: BuildResources,
) {
  const statements =
    job.target === 'frontend'
      ? sitePublisher(job, resources.bucketArn)
      : [...imagePusher(resources.userImagesArn), ...imageKeeper(job, resources)];
  return {
    Version: '2012-10-17',
    Statement: resources.kafkaClusterArn ? [...statements, allowStatement(KAFKA_ACTIONS, '*')] : statements,
  };
}

const allowStatement = (Action: string[], Resource: string | string[], Condition?: object) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition && { Condition }),
});

function sitePublisher(
  { projectId, deploymentId, lane }: Pick<BuildJob, 'projectId' | 'deploymentId' | 'lane'>,
  bucketArn: string,
) {
  const cache = s3Keys.cache(projectId, lane);
  const readWrite = [s3Keys.deployment(projectId, deploymentId), cache];
  return [
    allowStatement(
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      readWrite.map((prefix) => `${bucketArn}/${prefix}*`),
    ),
    // What has not changed is copied from an earlier deployment.
    allowStatement(['s3:GetObject'], `${bucketArn}/__deployments/${projectId}/*`),
    allowStatement(['s3:ListBucket'], bucketArn, {
      StringLike: {
        's3:prefix': [`__deployments/${projectId}/*`, `${cache}*`],
      },
    }),
  ];
}

/** Push without delete: tags are immutable, so a push can add but not replace. Layers may be mounted from the repository. */
function imagePusher(repositoryArn: string) {
  return [
    // ECR gives authorisation for the whole registry or not at all.
    allowStatement(['ecr:GetAuthorizationToken'], '*'),
    allowStatement(
      [
        'ecr:BatchCheckLayerAvailability',
        'ecr:InitiateLayerUpload',
        'ecr:UploadLayerPart',
        'ecr:CompleteLayerUpload',
        'ecr:PutImage',
        'ecr:DescribeImages',
        'ecr:DescribeRepositories',
        'ecr:BatchGetImage',
      ],
      repositoryArn,
    ),
  ];
}

/**
 * What a backend's build needs besides the registry: the publication decision, and the layers that the next build
 * starts from.
 */
function imageKeeper(
  { projectId, deploymentId, lane }: Pick<BuildJob, 'projectId' | 'deploymentId' | 'lane'>,
  { bucketArn, serviceFolders }: BuildResources,
) {
  const verdict = s3Keys.verdict(projectId, deploymentId, 'backend');
  const cache = `${s3Keys.cache(projectId, lane)}*`;
  return [
    allowStatement(['s3:GetObject', 's3:PutObject'], [`${bucketArn}/${verdict}`, `${bucketArn}/${cache}`]),
    ...(serviceFolders
      ? [allowStatement(['s3:PutObject'], `${bucketArn}/${s3Keys.serviceFolder(projectId, deploymentId)}`)]
      : []),
    allowStatement(['s3:DeleteObject', 's3:AbortMultipartUpload'], `${bucketArn}/${cache}`),
    allowStatement(['s3:ListBucket'], bucketArn, { StringLike: { 's3:prefix': [verdict, cache] } }),
  ];
}

/**
 * MSK IAM: connect, and write to topics. The role's policy names cluster and topics, and a session never has more
 * rights than its role; naming them here as well would take 500 of the 2,048 characters that STS allows. Source: MSK
 * developer guide, "Kafka actions in IAM policies".
 */
const KAFKA_ACTIONS = ['Connect', 'DescribeTopic', 'WriteData'].map((action) => `kafka-cluster:${action}`);

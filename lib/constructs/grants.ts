import { Aws, Stack } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { type IGrantable, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { ArtifactBucket } from './artifact-bucket.ts';
import type { BuilderCluster } from './builder-cluster.ts';
import type { RedisLogin } from './valkey.ts';

/** Rights that several functions have, each as one verb. */

/** Read the one secret, by its whole ARN, also where a key of the account's own encrypts it. */
export function grantSecret(grantee: IGrantable, secret: ISecret, sid: string): void {
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({ sid, actions: ['secretsmanager:GetSecretValue'], resources: [secret.secretArn] }),
  );
  if (secret.encryptionKey)
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        sid: `${sid}Key`,
        actions: ['kms:Decrypt'],
        resources: [secret.encryptionKey.keyArn],
        conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${Aws.REGION}.${Aws.URL_SUFFIX}` } },
      }),
    );
}

/** Read the hashes of the API tokens. */
export const grantTokens = (grantee: IGrantable, tokens: ISecret) => grantSecret(grantee, tokens, 'ApiTokens');

/** Keys of the owners' documents (`s3Keys.owner`), with the hashes of their tokens; a test compares the two. */
export const OWNERS = '__owners/*/owner.json';

/** Read the hashes of named tokens, without the right to list the bucket. */
export function grantNamedTokens(role: Role, bucket: ArtifactBucket): void {
  const resources = [bucket.arnForObjects(OWNERS)];
  role.addToPolicy(new PolicyStatement({ sid: 'NamedTokens', actions: ['s3:GetObject'], resources }));
  acknowledgeWildcards(role, resources, 'Keys hold names of owners; the right ends at one document of each.');
}

/** Read the keys that git tokens and variables are sealed with. */
export const grantDataKey = (grantee: IGrantable, dataKey: ISecret) => grantSecret(grantee, dataKey, 'DataKey');

/** Read the secret that messages are signed with. Functions that verify may also read the time of its creation. */
export function grantSigning(grantee: IGrantable, signing: ISecret, { verify = false } = {}): void {
  grantSecret(grantee, signing, 'EventSigning');
  if (verify)
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        sid: 'EventSigningSince',
        actions: ['secretsmanager:DescribeSecret'],
        resources: [signing.secretArn],
      }),
    );
}

/** Read the login of builders for Kafka, to put it into their hand-over. */
export const grantBuilderLogin = (grantee: IGrantable, secret: ISecret) => grantSecret(grantee, secret, 'BuilderKafka');

/** Read the password of the function's own user in Redis, where there is one; Redis's ACL limits that user. */
export function grantRedis(grantee: IGrantable, { secret }: RedisLogin): void {
  if (secret) grantSecret(grantee, secret, 'RedisPassword');
}

/** Objects below these prefixes (`__logs/*`), and to learn that a key does not exist. */
export function grantBucket(
  role: Role,
  bucket: ArtifactBucket,
  prefixes: { read?: string[]; write?: string[]; remove?: string[] },
): void {
  const addStatement = (sid: string, actions: string[], resources: string[]) =>
    role.addToPolicy(new PolicyStatement({ sid, actions, resources }));
  const objectArns = (list: string[]) => list.map((prefix) => bucket.arnForObjects(prefix));
  if (prefixes.read) {
    addStatement('ReadObjects', ['s3:GetObject'], objectArns(prefixes.read));
    // S3 answers "no such key" only with the right to list the bucket, and "access denied" without it.
    addStatement('TellMissingKeys', ['s3:ListBucket'], [bucket.bucketArn]);
  }
  if (prefixes.write) addStatement('WriteObjects', ['s3:PutObject'], objectArns(prefixes.write));
  if (prefixes.remove) addStatement('RemoveObjects', ['s3:DeleteObject'], objectArns(prefixes.remove));
  acknowledgeWildcards(
    role,
    objectArns([...(prefixes.read ?? []), ...(prefixes.write ?? []), ...(prefixes.remove ?? [])]),
    'Keys hold ids that are made at run time; the rights end at this prefix of one bucket.',
  );
}

/** Remove objects below this prefix. `grantBucket` gives the right to list them. */
export function grantRemoval(role: Role, bucket: ArtifactBucket, prefix: string): void {
  const resources = [bucket.arnForObjects(prefix)];
  role.addToPolicy(new PolicyStatement({ sid: 'RemoveObjects', actions: ['s3:DeleteObject'], resources }));
  acknowledgeWildcards(role, resources, 'Keys hold ids that are made at run time; the right ends at this prefix.');
}

/** Learn whether a tag of this repository exists, and of which image. */
export function grantDescribeImages(role: Role, repository: IRepository): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'FindImages',
      actions: ['ecr:DescribeImages'],
      resources: [repository.repositoryArn],
    }),
  );
}

/** Remove images of this repository. */
export function grantRemoveImages(role: Role, repository: IRepository): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'RemoveImages',
      actions: ['ecr:BatchDeleteImage'],
      resources: [repository.repositoryArn],
    }),
  );
}

/** Look at and stop builder tasks, in these clusters only. */
export function grantStopTask(role: Role, clusters: readonly BuilderCluster[]): void {
  const tasks = clusters.map(({ clusterName }) =>
    Stack.of(role).formatArn({ service: 'ecs', resource: 'task', resourceName: `${clusterName}/*` }),
  );
  role.addToPolicy(
    new PolicyStatement({ sid: 'BuilderTasks', actions: ['ecs:DescribeTasks', 'ecs:StopTask'], resources: tasks }),
  );
  acknowledgeWildcards(role, tasks, 'Tasks have ids that are made at run time; the rights end at the builder cluster.');
}

/** Find the task of a build by its `startedBy`, in these clusters only: an unanswered RunTask may have started one. */
export function grantFindTask(role: Role, clusters: readonly BuilderCluster[]): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'FindBuilderTasks',
      actions: ['ecs:ListTasks'],
      resources: ['*'],
      conditions: { ArnEquals: { 'ecs:cluster': clusters.map(({ clusterArn }) => clusterArn) } },
    }),
  );
  acknowledgeWildcards(role, ['*'], 'ecs:ListTasks knows no ARNs on Fargate; the condition ends it at the clusters.');
}

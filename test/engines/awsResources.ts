import { CloudFormationClient, paginateDescribeStacks } from '@aws-sdk/client-cloudformation';
import { CloudFrontClient, paginateListDistributions } from '@aws-sdk/client-cloudfront';
import { ECRClient, paginateDescribeRepositories } from '@aws-sdk/client-ecr';
import { ECSClient, paginateListClusters } from '@aws-sdk/client-ecs';
import { IAMClient, paginateListRoles } from '@aws-sdk/client-iam';
import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { paginateListSecrets, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** CDK's own of the account, and where the bridge keeps templates. */
const NOT_OF_THE_STAGE = /^(cdk-|CDKToolkit|veren-bridge-templates|AWSServiceRole)/;

/** Names of the stage's stacks. */
export async function deployedStacks(): Promise<string[]> {
  const names: string[] = [];
  for await (const { Stacks = [] } of paginateDescribeStacks({ client: new CloudFormationClient({}) }, {}))
    names.push(...Stacks.map(({ StackName }) => StackName!).filter((name) => name.startsWith('veren-dev-')));
  return names;
}

/** Kinds and names of what there is in the account, but for CDK's own. */
export async function deployedResources(): Promise<string[]> {
  const found: Record<string, (string | undefined)[]> = { stack: await deployedStacks() };
  const add = (kind: string, names: (string | undefined)[]) => {
    found[kind] = [...(found[kind] ?? []), ...names];
  };
  for await (const page of paginateListFunctions({ client: new LambdaClient({}) }, {}))
    add(
      'function',
      (page.Functions ?? []).map((it) => it.FunctionName),
    );
  for await (const page of paginateListRoles({ client: new IAMClient({}) }, {}))
    add(
      'role',
      (page.Roles ?? []).map((it) => it.RoleName),
    );
  for await (const page of paginateListClusters({ client: new ECSClient({}) }, {}))
    add(
      'cluster',
      (page.clusterArns ?? []).map((arn) => arn.split('/').at(-1)),
    );
  for await (const page of paginateDescribeRepositories({ client: new ECRClient({}) }, {}))
    add(
      'repository',
      (page.repositories ?? []).map((it) => it.repositoryName),
    );
  for await (const page of paginateListSecrets({ client: new SecretsManagerClient({}) }, {}))
    add(
      'secret',
      (page.SecretList ?? []).map((it) => it.Name),
    );
  for await (const page of paginateListDistributions({ client: new CloudFrontClient({}) }, {}))
    add(
      'distribution',
      (page.DistributionList?.Items ?? []).map((it) => it.Id),
    );
  const { Buckets = [] } = await new S3Client({ forcePathStyle: true }).send(new ListBucketsCommand({}));
  add(
    'bucket',
    Buckets.map((it) => it.Name),
  );
  return Object.entries(found).flatMap(([kind, names]) =>
    names.flatMap((name) => (name && !NOT_OF_THE_STAGE.test(name) ? [`${kind} ${name}`] : [])),
  );
}

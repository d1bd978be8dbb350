import {
  type CloudFrontClient,
  type FunctionStage,
  GetDistributionConfigCommand,
  GetFunctionCommand,
  paginateListDistributions,
} from '@aws-sdk/client-cloudfront';
import type { OriginGroup } from './edgeFunction.ts';

/** A distribution as the edge serves it. */
export interface EdgeDistribution {
  readonly viewerRequest: string | undefined;
  readonly viewerResponse: string | undefined;
  readonly target: string;
  /** The group that the target stands for. */
  readonly group: OriginGroup | undefined;
  /** Host names by id of the origin. */
  readonly origins: ReadonlyMap<string, string>;
}

/** The deployed distribution of that name, or null. */
export async function findDistribution(client: CloudFrontClient, domain: string): Promise<EdgeDistribution | null> {
  for await (const { DistributionList } of paginateListDistributions({ client }, {}))
    for (const { Id, DomainName } of DistributionList?.Items ?? [])
      if (DomainName === domain) return readDistribution(client, Id!);
  return null;
}

async function readDistribution(client: CloudFrontClient, Id: string): Promise<EdgeDistribution> {
  const { DistributionConfig } = await client.send(new GetDistributionConfigCommand({ Id }));
  const { DefaultCacheBehavior: behavior, Origins, OriginGroups } = DistributionConfig!;
  const codeOf = async (event: string) => {
    const found = behavior!.FunctionAssociations?.Items?.find(({ EventType }) => EventType === event);
    return found?.FunctionARN && readCode(client, found.FunctionARN.split('/').at(-1)!);
  };
  const target = behavior!.TargetOriginId!;
  const groups = (OriginGroups?.Items ?? []).map(({ Members, FailoverCriteria }) => ({
    originIds: Members!.Items!.map(({ OriginId }) => ({ originId: OriginId! })),
    failoverCriteria: { statusCodes: FailoverCriteria!.StatusCodes!.Items! },
  }));
  return {
    viewerRequest: await codeOf('viewer-request'),
    viewerResponse: await codeOf('viewer-response'),
    target,
    // translate.ts has put the first member in the place of the group.
    group: groups.find(({ originIds }) => originIds[0]?.originId === target),
    origins: new Map((Origins?.Items ?? []).map((origin) => [origin.Id!, origin.DomainName!])),
  };
}

/** The emulator does not publish what CloudFormation has made: what is developed is what is deployed. */
async function readCode(client: CloudFrontClient, Name: string): Promise<string> {
  for (const Stage of ['LIVE', 'DEVELOPMENT'] satisfies FunctionStage[]) {
    const found = await client.send(new GetFunctionCommand({ Name, Stage })).catch(() => undefined);
    if (found?.FunctionCode?.length) return new TextDecoder().decode(found.FunctionCode);
  }
  throw new Error(`The function ${Name} has no code`);
}

import { VerenError } from '../../../../contract/errors.ts';
import { decodeRoute, encodeRoute, SITE_TABLE_LIMITS, type SiteRoute } from '../../../../contract/siteRoute.ts';
import type { ShownHost, SiteChange, Sites } from '../../ports.ts';
import { asAwsOutage } from './awsOutage.ts';
import type { SiteTableCalls } from './clients.ts';

/** Writers of the table at the same moment; each of them needs one more try at most. */
const MAX_TRIES = 20;

/** What is left is for addresses of production. */
const MAX_PREVIEW_BYTES = SITE_TABLE_LIMITS.storeBytes * 0.9;
const TABLE = 'the table of routes';
const NO_ROOM = 'the table of routes has no room for another preview; older ones leave it when they expire';

interface ServiceFault {
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Null for an entry that somebody else has written, which is no project's. */
function readRoute(text: string): SiteRoute | null {
  try {
    return decodeRoute(text);
  } catch {
    return null;
  }
}

const isMissing = (e: unknown) => (e as ServiceFault).name === 'ResourceNotFoundException';

/** Another writer was faster. The service says so in more than one way. */
function isLostRace(e: unknown): boolean {
  const { name, message, $metadata } = e as ServiceFault;
  const status = $metadata?.httpStatusCode;
  return name === 'ConflictException' || status === 409 || status === 412 || /pre-?condition/i.test(message);
}

/** A full table is told as an outage too: an operator ends it. */
function asOutage(e: unknown): unknown {
  const { name, message } = e as ServiceFault;
  return name === 'ServiceQuotaExceededException'
    ? new VerenError('UNAVAILABLE', { reason: `${TABLE}: ${message}` }, { cause: e })
    : asAwsOutage(TABLE, e);
}

/**
 * The routes in a CloudFront KeyValueStore, which the viewer-request function reads at the edges within seconds of a
 * write. A step has at most 50 hosts, as many as one call takes; more of them are written step by step.
 */
export function cloudFrontSites(client: SiteTableCalls, arn: string): Sites {
  const readValue = async (key: string) => {
    const { GetKeyCommand } = await import('@aws-sdk/client-cloudfront-keyvaluestore');
    try {
      return (await client.send(new GetKeyCommand({ KvsARN: arn, Key: key }))).Value ?? null;
    } catch (e) {
      if (isMissing(e)) return null;
      throw e;
    }
  };
  /** Previews leave room for production, which could not switch in a full store. Those that are there may change. */
  const requireRoom = async (bytes: number, changes: readonly SiteChange[]) => {
    const previews = changes.filter(({ route }) => route?.noindex);
    const most = previews.length * (SITE_TABLE_LIMITS.keyBytes + SITE_TABLE_LIMITS.valueBytes);
    if (previews.length === 0 || bytes + most <= MAX_PREVIEW_BYTES) return;
    const known = await Promise.all(previews.map(({ host }) => readValue(host)));
    if (known.includes(null)) throw new VerenError('UNAVAILABLE', { reason: NO_ROOM });
  };
  const writeOnce = async (changes: readonly SiteChange[]) => {
    const { DescribeKeyValueStoreCommand, UpdateKeysCommand } = await import(
      '@aws-sdk/client-cloudfront-keyvaluestore'
    );
    const { ETag: tag, TotalSizeInBytes = 0 } = await client.send(new DescribeKeyValueStoreCommand({ KvsARN: arn }));
    const puts = changes.flatMap(({ host, route }) => (route ? [{ Key: host, Value: encodeRoute(route) }] : []));
    await requireRoom(TotalSizeInBytes, changes);
    const deletes = changes.flatMap(({ host, route }) => (route ? [] : [{ Key: host }]));
    const update = (Deletes: { Key: string }[]) =>
      client.send(new UpdateKeysCommand({ KvsARN: arn, IfMatch: tag, Puts: puts, Deletes }));
    try {
      await update(deletes);
    } catch (e) {
      if (!isMissing(e) || deletes.length === 0) throw e;
      const known = await Promise.all(deletes.map(async ({ Key }) => (await readValue(Key)) !== null));
      const left = deletes.filter((_, i) => known[i]);
      if (left.length > 0 || puts.length > 0) await update(left);
    }
  };
  const writeStep = async (changes: readonly SiteChange[]) => {
    for (let tries = 1; ; tries++)
      try {
        return await writeOnce(changes);
      } catch (e) {
        if (!isLostRace(e)) throw asOutage(e);
        if (tries === MAX_TRIES) throw new VerenError('UNAVAILABLE', { reason: 'too many writers of the routes' });
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * tries));
      }
  };
  return {
    async point(changes) {
      // The service refuses a call that names a key twice; the last word counts.
      const last = [...new Map(changes.map((change) => [change.host, change])).values()];
      for (let at = 0; at < last.length; at += SITE_TABLE_LIMITS.keysPerCall)
        await writeStep(last.slice(at, at + SITE_TABLE_LIMITS.keysPerCall));
    },
    async find(host) {
      try {
        const text = await readValue(host);
        return text === null ? null : decodeRoute(text);
      } catch (e) {
        throw asOutage(e);
      }
    },
    async listRoutes(projectId) {
      const { ListKeysCommand } = await import('@aws-sdk/client-cloudfront-keyvaluestore');
      const found: ShownHost[] = [];
      let token: string | undefined;
      try {
        do {
          const query = { KvsARN: arn, MaxResults: SITE_TABLE_LIMITS.keysPerCall, NextToken: token };
          const { Items = [], NextToken } = await client.send(new ListKeysCommand(query));
          for (const { Key: host, Value: text } of Items) {
            if (host === undefined || text === undefined) continue;
            const route = readRoute(text);
            if (route?.projectId === projectId) found.push({ host, route });
          }
          token = NextToken;
        } while (token !== undefined);
      } catch (e) {
        throw asOutage(e);
      }
      return found;
    },
  };
}

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DEFAULT_BUCKET, DEFAULT_REGION } from '../../contract/names.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { s3Archive } from '../../lambdas/shared/archive.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import { readLogPages } from '../../lambdas/shared/logs/followLog.ts';
import { makeLogArchiver } from '../../lambdas/shared/logs/makeLogArchiver.ts';
import { openCostStore } from '../../lambdas/shared/projects/costStore.ts';
import { openProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import type { Signing } from '../../lambdas/shared/signing.ts';
import { openMemoryPlatform } from '../../local/adapters/memory/platform.ts';
import { createCredentialStore } from '../../local/awsProtocol/credentials.ts';
import { startS3Endpoint } from '../../local/s3/endpoint.ts';
import { rebuildState } from '../../operator/rebuild/rebuild.ts';
import { earlierMessages, earlierStage, unpackEarlierData } from '../support/earlierStage.ts';
import { SIGNING } from '../support/signing.ts';
import { temporaryFolder } from '../support/veren.ts';

const { deployments, records, logs } = earlierStage;
const names = Object.keys(deployments) as (keyof typeof deployments)[];
/** The stage was updated an hour after its last deployment was requested. */
const signing: Signing = { ...SIGNING, since: Date.parse(records.underway.createdAt) + 3_600_000 };

/** Jest's `structuredClone` gives objects of another realm, which `isDeepStrictEqual` tells from ours. */
const ofThisRealm = <T>(value: T): T => JSON.parse(JSON.stringify(value));

/** Rebuilds from the topics of d91163f and, where it is kept, its bucket. */
async function rebuild(folder: string, bucketIsKept: boolean) {
  const dataDir = bucketIsKept ? unpackEarlierData(folder) : folder;
  const credentials = await createCredentialStore({ dataDir });
  const endpoint = await startS3Endpoint({ dataDir, credentials });
  const s3 = new S3Client({
    region: DEFAULT_REGION,
    credentials: credentials.root,
    endpoint: endpoint.url,
    forcePathStyle: true,
  });
  if (!bucketIsKept) await s3.send(new CreateBucketCommand({ Bucket: DEFAULT_BUCKET }));
  const clock = { now: Date.now };
  const ports = await openMemoryPlatform({ clock });
  const archive = s3Archive(s3, DEFAULT_BUCKET);
  const report = await rebuildState({
    store: { ...ports.store, get: async (id) => ofThisRealm(await ports.store.get(id)) },
    logs: ports.logs,
    clearLog: async () => {},
    archive,
    archiveLog: makeLogArchiver({ logs: ports.logs, archive }),
    async read(onMessage) {
      earlierMessages().forEach(onMessage);
      return { caughtUp: async () => {}, close: async () => {} };
    },
    signing,
    place: { bucket: DEFAULT_BUCKET },
    now: clock.now,
    projects: openProjectStore({ s3, bucket: DEFAULT_BUCKET, clock }),
    costs: openCostStore(openDocuments(s3, DEFAULT_BUCKET)),
  });
  return {
    report,
    archive,
    store: ports.store,
    async linesOf(id: string) {
      const found: string[] = [];
      for await (const page of readLogPages({ logs: ports.logs, archive }, id, 0))
        found.push(...page.map(({ line }) => line));
      return found;
    },
    async close() {
      await ports.close();
      s3.destroy();
      await endpoint.close();
    },
  };
}

/** Paths of fields that `now` has and `before` has not; items of lists count as one. */
function addedFields(now: unknown, before: unknown, path = ''): string[] {
  if (typeof now !== 'object' || now === null) return [];
  return Object.entries(now).flatMap(([key, value]) => {
    const of = Array.isArray(now) ? path : `${path}.${key}`;
    const known = (before as Record<string, unknown> | undefined)?.[key];
    return known === undefined ? [of] : addedFields(value, known, of);
  });
}

/** What this version tells of a deployment beyond what d91163f did. */
const ADDED = ['.builds.backend.startedAt', '.builds.frontend.startedAt', '.outcome'];

describe.each([
  ['with its bucket', true],
  ['without it', false],
] as const)('the topics of commit d91163f, %s', (_name, bucketIsKept) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let rebuilt: Awaited<ReturnType<typeof rebuild>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
    rebuilt = await rebuild(folder.path, bucketIsKept);
  });
  afterAll(async () => {
    await rebuilt.close();
    await folder.remove();
  });

  test('every deployment is rebuilt, nothing is refused', () => {
    expect(rebuilt.report).toMatchObject({
      deployments: 6,
      recordsRestored: 6,
      malformed: 0,
      refused: 0,
      differing: [],
    });
    expect(rebuilt.report.unfinished).toEqual([deployments.underway]);
  });

  test.each(names)('%s: its record is the one that d91163f had, but for fields that were added', async (name) => {
    const record = (await rebuilt.store.get(deployments[name]))?.record as DeploymentRecord;
    expect(record).toMatchObject(records[name]);
    expect(ADDED).toEqual(expect.arrayContaining(addedFields(record, records[name])));
  });

  test.each(names)('%s: its log is whole', async (name) => {
    expect(await rebuilt.linesOf(deployments[name])).toEqual(logs[name].map(({ line }) => line));
  });

  test('what has ended is archived, and the archive says the same', async () => {
    for (const name of names.filter((n) => n !== 'underway'))
      expect(await rebuilt.archive.readRecord(deployments[name])).toMatchObject(records[name]);
    expect(await rebuilt.archive.readRecord(deployments.underway)).toBeNull();
  });
});

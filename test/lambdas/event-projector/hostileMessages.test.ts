import type { MSKRecord } from 'aws-lambda';
import { s3Keys, TOPICS } from '../../../contract/names.ts';
import { type ProjectorDeps, projectBatch } from '../../../lambdas/event-projector/project.ts';
import { countRefused } from '../../../lambdas/event-projector/refuse.ts';
import { openDocuments } from '../../../lambdas/shared/documents.ts';
import { openCostStore } from '../../../lambdas/shared/projects/costStore.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { taskUse } from '../../support/events.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { recordingLog, silentLog } from '../../support/log.ts';
import { memoryS3 } from '../../support/memoryS3.ts';
import { mskRecord, SIGNING } from '../../support/signing.ts';

const clock = fakeClock();
const at = new Date(clock.now()).toISOString();
const of = { v: 1 as const, deploymentId: '01a', projectId: 'site' };
const build = { ...of, target: 'frontend' as const, attempt: 1 };
const requested = {
  ...of,
  type: 'deployment.requested' as const,
  id: 'r',
  at,
  owner: 'ada',
  gitUrl: 'https://git.example/a.git',
  ref: null,
};

async function projector(given: Partial<ProjectorDeps> = {}) {
  const ports = await openMemoryPlatform({ clock });
  const nothing = async () => undefined;
  const deps: ProjectorDeps = {
    ...ports,
    clock,
    archive: { writeRecord: nothing, readRecord: async () => null, writeLog: nothing, readLog: async () => null },
    archiveLog: nothing,
    stopBuilds: nothing,
    park: nothing,
    signing: async () => SIGNING,
    place: { bucket: 'b' },
    refuse: () => undefined,
    log: silentLog,
    ...given,
  };
  await ports.store.create({ requested, request: { projectId: 'site', gitUrl: 'x' } });
  const take = async (...partitions: MSKRecord[][]) =>
    (await projectBatch(deps, { records: Object.fromEntries(partitions.map((p, i) => [`p${i}`, p])) }))
      .batchItemFailures;
  return { take, ports };
}

const ended = (body: object) =>
  mskRecord(TOPICS.buildEvents, { ...build, id: '01a-frontend-1-ended', at, type: 'build.failed', ...body });
const error = (of: object) => ({ error: { code: 'BUILD_FAILED', message: 'x', ...of } });
const lines = (of: object) =>
  mskRecord(TOPICS.logs, { ...build, first: 0, lines: [{ at, stream: 'stdout', line: 'x' }], ...of });

/** All signed by the build that they speak of: a repeat would meet the same again, for ever, with all that is behind it. */
const HOSTILE: [string, () => MSKRecord][] = [
  ['a code that is a name of prototypes', () => ended(error({ code: '__proto__' }))],
  ['a code that is a method of all objects', () => ended(error({ code: 'toString' }))],
  ['a message of nearly a megabyte', () => ended(error({ message: '\u0000\ud800'.repeat(100_000) }))],
  ['a hundred thousand last lines', () => ended(error({ lastLines: Array(100_000).fill('') }))],
  ['a count of lines without end', () => ended({ ...error({}), logLines: Number.MAX_SAFE_INTEGER })],
  [
    'a time with a fraction of half a megabyte',
    () => ended({ ...error({}), at: at.replace('Z', `${'0'.repeat(500_000)}Z`) }),
  ],
  ['lines numbered to the end of numbers', () => lines({ first: Number.MAX_SAFE_INTEGER })],
  ['lines of what is no text', () => lines({ lines: [{ at, stream: 'stderr', line: '\ud800\u0000\u2028</script>' }] })],
  ['an attempt without end', () => mskRecord(TOPICS.logs, { ...build, attempt: 2 ** 50, first: 0, lines: [] })],
  ['nothing', () => mskRecord(TOPICS.buildEvents, '')],
  ['JSON without end', () => mskRecord(TOPICS.buildEvents, '['.repeat(500_000))],
];

describe('a build that may say what it likes of itself', () => {
  it.each(HOSTILE)('cannot hold up what is behind it: %s', async (_, hostile) => {
    const { take, ports } = await projector();
    const other = { ...requested, deploymentId: '01b', id: 'r2' };
    expect(await take([hostile(), mskRecord(TOPICS.events, other)])).toEqual([]);
    expect((await ports.store.get('01b'))?.record.status).toBe('queued');
    expect((await ports.store.get('01a'))?.record.owner).toBe('ada');
  });
});

it.each([
  ['less than nothing', { files: -1, bytes: -(2 ** 50) }],
  ['more than any disk has', { files: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER }],
])(
  'a build says that it has published %s: its project has a sum that can be read, and no fortune spent',
  async (_, size) => {
    const costs = openCostStore(openDocuments(memoryS3(), 'b'));
    const { take, ports } = await projector({ costs });
    const artifact = { kind: 'static', bucket: 'b', prefix: s3Keys.site('site'), ...size };
    const traffic = { received: 2 ** 50, sent: 2 ** 50 };
    const said = { ...build, id: '01a-frontend-1-ended', at, type: 'build.succeeded', logLines: 0, traffic };
    const used = { ...build, id: 'u', at, type: 'build.used', use: taskUse({ seconds: 60 }) };
    expect(await take([mskRecord(TOPICS.buildEvents, { ...said, artifact })])).toEqual([]);
    expect(await take([mskRecord(TOPICS.events, used)])).toEqual([]);
    expect((await ports.store.get('01a'))?.record.cost?.tasks[0]?.storage).toBeDefined();
    const other = { ...requested, deploymentId: '01b', id: 'r2' };
    const usedToo = { ...used, deploymentId: '01b', id: 'u2' };
    expect(await take([other, usedToo].map((event) => mskRecord(TOPICS.events, event)))).toEqual([]);
    const { microUsd, deployments } = await costs.sum('site', at.slice(0, 7));
    expect(deployments).toBe(2);
    expect(microUsd).toBeGreaterThan(0);
    expect(microUsd).toBeLessThan(50_000_000);
  },
);

it('a document of costs that cannot be read holds up nobody', async () => {
  const s3 = memoryS3();
  const documents = openDocuments(s3, 'b');
  await documents.create(s3Keys.costsOf('site', at.slice(0, 7)), { v: 1, deployments: { '01z': -1 } });
  const { log, lines: told } = recordingLog();
  const { take, ports } = await projector({ costs: openCostStore(documents), log });
  const used = { ...build, id: 'u', at, type: 'build.used', use: taskUse() };
  const other = { ...requested, deploymentId: '01b', id: 'r2' };
  expect(await take([used, other].map((event) => mskRecord(TOPICS.events, event)))).toEqual([]);
  expect((await ports.store.get('01b'))?.record.status).toBe('queued');
  expect(JSON.stringify(told)).toContain('The costs of a month cannot be read');
});

it('an image is never taken for stored: its deployment would wait for ever for who promotes it', async () => {
  const reasons: string[] = [];
  const { take, ports } = await projector({ refuse: ({ reason }) => void reasons.push(reason) });
  const backend = { ...of, target: 'backend' as const, attempt: 1, id: '01a-backend-1-ended', at };
  const artifact = { kind: 'image', uri: 'r/x:site-01a', digest: `sha256:${'0'.repeat(64)}`, bytes: 1 };
  const said = (type: string) => mskRecord(TOPICS.buildEvents, { ...backend, type, artifact, logLines: 0 });
  expect(await take([said('build.stored')])).toEqual([]);
  expect(reasons).toEqual(['its artifact is not its own']);
  expect(await take([said('build.succeeded')])).toEqual([]);
  expect(reasons).toHaveLength(1);
  expect((await ports.store.get('01a'))?.facts.attempts.backend?.[1]?.ended?.type).toBe('build.succeeded');
});

it('a bucket that cannot be written holds up the partition of what is parked, and no other', async () => {
  const { take, ports } = await projector({ park: () => Promise.reject(new Error('the bucket is away')) });
  const broken = mskRecord(TOPICS.events, '{"v":9}');
  const other = { ...requested, deploymentId: '01b', id: 'r2' };
  const failures = await take([broken], [mskRecord(TOPICS.events, other)]);
  expect(failures).toEqual([{ itemIdentifier: { partition: `${TOPICS.events}-0`, offset: broken.offset } }]);
  expect(await ports.store.get('01b')).not.toBeNull();
});

it('a flood of forged messages is counted in full and fills no log, whatever ids it names', () => {
  const time = fakeClock();
  let counted = 0;
  const { log, lines: told } = recordingLog();
  const refuse = countRefused(() => void counted++, log, time);
  const flood = () => {
    for (let n = 0; n < 50_000; n++)
      refuse({ topic: 'build-logs', partition: 0, offset: n, reason: 'it is not signed', deploymentId: `f${n}` });
  };
  flood();
  expect([counted, told.length]).toEqual([50_000, 1_000]);
  time.advance(3_600_000);
  flood();
  expect(told).toHaveLength(2_000);
});

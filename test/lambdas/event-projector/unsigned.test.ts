import type { MSKRecord } from 'aws-lambda';
import { TOPICS, type Topic } from '../../../contract/names.ts';
import { type ProjectorDeps, projectBatch } from '../../../lambdas/event-projector/project.ts';
import { rawMessage } from '../../../lambdas/event-projector/readMessage.ts';
import { UNSIGNED_GRACE_MS } from '../../../lambdas/event-projector/unsigned.ts';
import type { Signing } from '../../../lambdas/shared/signing.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { historyReader } from '../../../operator/rebuild/readHistory.ts';
import { frontendPlan } from '../../support/events.ts';
import { silentLog } from '../../support/log.ts';
import { macOf, mskRecord, SIGNING } from '../../support/signing.ts';

/** When the earlier version was replaced; messages that it left behind are not signed. */
const SINCE = Date.UTC(2026, 10, 27, 12);
const minutes = (n: number) => new Date(SINCE + n * 60_000).toISOString();
const signing: Signing = { ...SIGNING, since: SINCE };
const unsigned = (topic: Topic, message: object) => mskRecord(topic, message, { mac: null });

const request = (deploymentId: string, at: string) => ({
  v: 1 as const,
  type: 'deployment.requested' as const,
  id: `${deploymentId}-r`,
  at,
  deploymentId,
  projectId: 'site',
  owner: 'ada',
  gitUrl: 'https://git.example/a.git',
  ref: null,
});
const analyzed = (deploymentId: string, at: string) => ({
  ...request(deploymentId, at),
  type: 'deployment.analyzed',
  id: `${deploymentId}-a`,
  plan: frontendPlan(),
});
const build = (deploymentId: string) => ({ v: 1, deploymentId, projectId: 'site', target: 'frontend', attempt: 1 });
const succeeded = (deploymentId: string, at: string, projectId = 'site') => ({
  ...build(deploymentId),
  type: 'build.succeeded',
  id: `${deploymentId}-frontend-1-ended`,
  at,
  artifact: { kind: 'static', bucket: 'b', prefix: `__outputs/${projectId}/`, files: 1, bytes: 1 },
  logLines: 1,
});
const lines = (deploymentId: string, at: string) => ({
  ...build(deploymentId),
  first: 0,
  lines: [{ at, stream: 'stdout', line: 'a line' }],
});

async function projector(now: number, given: Signing = signing) {
  const clock = { now: () => now };
  const ports = await openMemoryPlatform({ clock });
  const reasons: string[] = [];
  const nothing = async () => undefined;
  const deps: ProjectorDeps = {
    ...ports,
    clock,
    archive: { writeRecord: nothing, readRecord: async () => null, writeLog: nothing, readLog: async () => null },
    archiveLog: nothing,
    stopBuilds: nothing,
    park: async () => void reasons.push('parked'),
    signing: async () => given,
    place: { bucket: 'b' },
    refuse: ({ reason }) => void reasons.push(reason),
    log: silentLog,
  };
  for (const [id, at] of [['old', -5] as const, ['new', 5] as const])
    await ports.store.create({ requested: request(id, minutes(at)), request: { projectId: 'site', gitUrl: 'x' } });
  return {
    ports,
    reasons,
    take: (...records: MSKRecord[]) => projectBatch(deps, { records: { x: records } }),
    status: async (id: string) => (await ports.store.get(id))?.record.status,
  };
}

const ofEarlierVersion = (id: string, from: number) => [
  unsigned(TOPICS.events, analyzed(id, minutes(from))),
  unsigned(TOPICS.logs, lines(id, minutes(from + 1))),
  unsigned(TOPICS.events, succeeded(id, minutes(from + 2))),
];

describe('messages that the earlier version has left unsigned', () => {
  it('count for deployments that it has accepted, for two hours', async () => {
    const p = await projector(SINCE + 30 * 60_000);
    await p.take(...ofEarlierVersion('old', 6));
    expect([await p.status('old'), p.reasons]).toEqual(['succeeded', []]);
    expect(await p.ports.logs.read('old', 0, 10)).toHaveLength(1);
  });

  it.each<[string, string, number, Signing]>([
    ['for a deployment of this version', 'new', 30, signing],
    ['for a deployment that nobody knows', 'nowhere', 30, signing],
    ['later than that', 'old', UNSIGNED_GRACE_MS / 60_000 + 1, signing],
    ['on a platform that has signed from its beginning', 'old', 30, SIGNING],
  ])('do not count %s', async (_, id, now, given) => {
    const p = await projector(SINCE + now * 60_000, given);
    const before = await p.status(id);
    await p.take(...ofEarlierVersion(id, 6));
    expect(await p.status(id)).toBe(before);
    expect(await p.ports.logs.read(id, 0, 10)).toEqual([]);
    expect(p.reasons).toHaveLength(3);
  });

  it('do not count on the topic that it did not have, with a wrong MAC, or about what is not theirs', async () => {
    const p = await projector(SINCE + 30 * 60_000);
    await p.take(unsigned(TOPICS.events, analyzed('old', minutes(6))));
    await p.take(
      unsigned(TOPICS.buildEvents, succeeded('old', minutes(8))),
      mskRecord(TOPICS.events, succeeded('old', minutes(8)), { mac: 'x' }),
      unsigned(TOPICS.events, succeeded('old', minutes(8), 'other')),
      unsigned(TOPICS.events, { ...succeeded('old', minutes(8)), projectId: 'other' }),
      unsigned(TOPICS.events, succeeded('old', minutes(-90))),
      unsigned(TOPICS.events, { ...request('old', minutes(-5)), owner: 'eve' }),
    );
    expect(p.reasons).toHaveLength(6);
    expect(await p.status('old')).toBe('analyzing');
  });
});

describe('a secret that is being changed', () => {
  it('verifies with every accepted one, and signs with the current', async () => {
    const other = 'another secret'.padEnd(40, '-');
    const event = analyzed('new', minutes(6));
    const record = (secret: string) =>
      mskRecord(TOPICS.events, event, { mac: macOf(TOPICS.events, JSON.stringify(event), undefined, secret) });
    const p = await projector(SINCE + 600_000, { ...SIGNING, accepted: [other] });
    await p.take(record(other), record(SIGNING.current));
    expect(p.reasons).toEqual([]);
    await p.take(record('a third secret'.padEnd(40, '-')));
    expect(p.reasons).toHaveLength(1);
  });
});

describe('what Kafka has kept of the earlier version', () => {
  const kept = (record: MSKRecord, partition = 0) => ({ ...rawMessage(record), partition });

  it('counts before the first signed message of its partition, whatever times are written in it', () => {
    const read = historyReader(signing, () => SINCE + 30 * 86_400_000);
    const kind = (record: MSKRecord, partition?: number) => read(kept(record, partition)).kind;
    expect(kind(unsigned(TOPICS.events, request('a', minutes(-60))))).toBe('unsigned');
    expect(kind(unsigned(TOPICS.events, request('b', minutes(60))))).toBe('refused');
    expect(kind(unsigned(TOPICS.events, succeeded('a', minutes(60))))).toBe('unsigned');
    expect(kind(mskRecord(TOPICS.events, request('c', minutes(600))))).toBe('platform');
    expect(kind(unsigned(TOPICS.events, request('d', minutes(-60))))).toBe('refused');
    expect(kind(unsigned(TOPICS.events, request('e', minutes(-60))), 1)).toBe('unsigned');
    expect(kind(unsigned(TOPICS.buildEvents, succeeded('a', minutes(-1))))).toBe('refused');
  });

  it('does not count where everything was signed from the beginning', () => {
    const read = historyReader(SIGNING, () => SINCE);
    expect(read(kept(unsigned(TOPICS.events, request('a', minutes(-60))))).kind).toBe('refused');
  });
});

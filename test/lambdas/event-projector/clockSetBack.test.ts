import type { MSKRecord } from 'aws-lambda';
import { TOPICS } from '../../../contract/names.ts';
import { type ProjectorDeps, projectBatch } from '../../../lambdas/event-projector/project.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { frontendPlan } from '../../support/events.ts';
import { silentLog } from '../../support/log.ts';
import { mskRecord, SIGNING } from '../../support/signing.ts';

const HOUR = 3_600_000;
const REQUESTED = Date.UTC(2026, 10, 27, 12);
const at = (ms: number) => new Date(REQUESTED + ms).toISOString();
const of = { v: 1 as const, deploymentId: '01a', projectId: 'site' };
const build = { ...of, target: 'frontend' as const, attempt: 1 };
const requested = {
  ...of,
  type: 'deployment.requested' as const,
  id: 'r',
  at: at(0),
  owner: 'ada',
  gitUrl: 'https://git.example/a.git',
  ref: null,
};
const succeeded = (ms: number) => ({
  ...build,
  type: 'build.succeeded',
  id: '01a-frontend-1-ended',
  at: at(ms),
  artifact: { kind: 'static', bucket: 'b', prefix: '__outputs/site/', files: 1, bytes: 1 },
  logLines: 1,
});
const lines = (ms: number) => ({ ...build, first: 0, lines: [{ at: at(ms), stream: 'stdout', line: 'a line' }] });

/** The clock was right (an hour ahead) when the deployment was requested, and is at `now` when it is projected. */
async function projector(now: number, maxClockSkewMs?: number) {
  const ports = await openMemoryPlatform({ clock: { now: () => now } });
  const refused: string[] = [];
  const nothing = async () => undefined;
  const deps: ProjectorDeps = {
    ...ports,
    clock: { now: () => now },
    archive: { writeRecord: nothing, readRecord: async () => null, writeLog: nothing, readLog: async () => null },
    archiveLog: nothing,
    stopBuilds: nothing,
    park: async () => void refused.push('parked'),
    signing: async () => SIGNING,
    place: { bucket: 'b' },
    ...(maxClockSkewMs !== undefined && { maxClockSkewMs }),
    refuse: ({ reason }) => void refused.push(reason),
    log: silentLog,
  };
  await ports.store.create({ requested, request: { projectId: 'site', gitUrl: 'x' } });
  return {
    refused,
    take: (...records: MSKRecord[]) => projectBatch(deps, { records: { x: records } }),
    record: async () => (await ports.store.get('01a'))?.record,
    log: () => ports.logs.read('01a', 0, 10),
  };
}

describe('a clock that is set back while a deployment is on its way', () => {
  const analyzed = { ...of, type: 'deployment.analyzed', id: 'a', at: at(1_000), plan: frontendPlan() };
  const messages = (ms: number) => [
    mskRecord(TOPICS.events, analyzed),
    mskRecord(TOPICS.logs, lines(ms)),
    mskRecord(TOPICS.buildEvents, succeeded(ms)),
  ];

  it.each([-HOUR, -100 * HOUR])('by %d ms: on the one clock of a laptop nothing of it is lost', async (ms) => {
    const p = await projector(REQUESTED + ms, Number.POSITIVE_INFINITY);
    await p.take(...messages(ms));
    expect(p.refused).toEqual([]);
    expect(await p.record()).toMatchObject({ status: 'succeeded' });
    expect(await p.log()).toHaveLength(1);
  });

  it('where builders have clocks of their own, what they date back is refused, and what the platform says is not', async () => {
    const p = await projector(REQUESTED - HOUR);
    await p.take(...messages(-HOUR));
    expect(p.refused).toEqual(Array(2).fill('it says a time before its deployment was requested'));
    expect(await p.record()).toMatchObject({ plan: { frontend: {} }, status: 'analyzing' });
  });
});

import type { BuildRecord, DeploymentRecord } from '../../contract/record.ts';
import { listSteps } from '../../dashboard/pages/deployment/steps.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 28, 20) + seconds * 1_000).toISOString();
const now = Date.parse(at(100));
const build = (changes: Partial<BuildRecord>): BuildRecord => ({
  ...{ status: 'building', nodeVersion: 24, attempt: 1, phases: [] },
  ...changes,
});
const record = (changes: Partial<DeploymentRecord> = {}) =>
  ({ createdAt: at(0), status: 'building', ...changes }) as DeploymentRecord;
const told = (...args: Parameters<typeof listSteps>) =>
  listSteps(...args).map(({ name, state, took }) => `${name} ${state}${took === undefined ? '' : ` ${took / 1_000}`}`);

it('counts what waits and what runs up to now', () => {
  expect(told(record(), build({ status: 'queued' }), now)[0]).toBe('wait running 100');
  expect(told(record(), build({ startedAt: at(10) }), now)).toEqual([
    ...['wait done 10', 'start running 90', 'fetch waiting', 'install waiting', 'build waiting', 'publish waiting'],
  ]);
});

it('tells how much of the start was the download of a toolchain', () => {
  const startOf = (toolchain: BuildRecord['toolchain']) =>
    listSteps(record(), build({ startedAt: at(10), toolchain }), now)[1];
  expect(startOf({ startedAt: at(11) })).toMatchObject({ state: 'running', toolchain: 'running' });
  expect(startOf({ startedAt: at(11), finishedAt: at(41) })).toMatchObject({ took: 90_000, toolchain: 30_000 });
  const ended = record({ status: 'canceled', finishedAt: at(20) });
  const stopped = build({ status: 'canceled', startedAt: at(10), toolchain: { startedAt: at(11) } });
  expect(listSteps(ended, stopped, now)[1]).toEqual({ name: 'start', state: 'stopped', took: 10_000 });
});

it('marks the phase that failed, and leaves out what did not begin', () => {
  const phases: BuildRecord['phases'] = [
    { name: 'fetch', startedAt: at(20), finishedAt: at(22), ok: true },
    { name: 'install', startedAt: at(22), finishedAt: at(30), ok: false },
  ];
  const failed = record({ status: 'failed', finishedAt: at(31) });
  expect(told(failed, build({ status: 'failed', startedAt: at(10), phases }), now)).toEqual([
    ...['wait done 10', 'start done 10', 'fetch done 2', 'install failed 8', 'build skipped', 'publish skipped'],
  ]);
});

it('stops what ran when it was canceled, and never counts below zero', () => {
  const phases: BuildRecord['phases'] = [{ name: 'fetch', startedAt: at(40) }];
  const canceled = record({ status: 'canceled', finishedAt: at(35) });
  const steps = told(canceled, build({ status: 'canceled', startedAt: at(10), phases }), now);
  expect(steps[2]).toBe('fetch stopped 0');
});

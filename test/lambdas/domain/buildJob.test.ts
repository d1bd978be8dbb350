import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildNotesSchema, CloneNotesSchema } from '../../../contract/jobs.ts';
import * as build from '../../../lambdas/domain/buildJob.ts';
import * as clone from '../../../lambdas/domain/cloneJob.ts';
import { crashesOf, crashNote } from '../../../lambdas/domain/crashes.ts';
import { nextAttempt } from '../../../lambdas/domain/retry.ts';
import { frontendPlan } from '../../support/events.ts';

/** A job as version d91163f has left it in Redis: all of its notes, all of them text. */
const EARLIER = {
  attempt: 2,
  notes: {
    tries: '3',
    start: '1',
    looked: '1',
    taskArn: 'arn:aws:ecs:eu-central-1:1:task/builder/x',
    cluster: 'builder',
    taskOf: '2',
    announced: '2',
    stopped: '2',
    ended: '2 1764270000000',
    seenStopped: '2 1764270000001',
    misses: '2',
    excused: '1',
    crashes: '2',
  },
};

test('what an earlier version has noted of a build is read', () => {
  expect(build.taskOf(EARLIER)).toEqual({ taskArn: EARLIER.notes.taskArn, cluster: 'builder' });
  expect(build.isAnnounced(EARLIER)).toBe(true);
  expect(build.hasStopped(EARLIER)).toBe(true);
  expect(build.startNumber(EARLIER)).toBe(1);
  expect(build.countFailedStart(EARLIER)).toBe(4);
  expect(build.wasSearched(EARLIER)).toBe(true);
  expect(build.countMiss(EARLIER)).toBe(3);
  expect(build.firstSeenEnded(EARLIER)).toBe(1764270000000);
  expect(build.firstSeenStopped(EARLIER)).toBe(1764270000001);
  expect(crashesOf(EARLIER)).toBe(2);
  expect(nextAttempt(EARLIER, 2, 'platform')).toMatchObject({ notes: { excused: '2', crashes: '2' } });
});

test('and an earlier version reads what is noted now', () => {
  const job = { attempt: 2, notes: { start: '1' } };
  const { taskArn, cluster, taskOf } = EARLIER.notes;
  expect(build.recordTask(job, { taskArn, cluster })).toEqual({ taskArn, cluster, taskOf });
  expect(build.recordAnnouncement(job)).toEqual({ announced: '2' });
  expect(build.markStopped(job)).toEqual({ stopped: '2' });
  expect(build.recordUnclearStart(3)).toEqual({ tries: '3' });
  expect(build.recordFailedStart(job, 3, false)).toEqual({ tries: '3', start: '1' });
  expect(build.recordFailedStart(job, 3, true)).toEqual({ tries: '3', start: '2' });
  expect(build.recordSearch()).toEqual({ looked: '1' });
  expect(build.recordMiss(2)).toEqual({ misses: '2' });
  expect(build.recordEnded(job, 1764270000000)).toEqual({ ended: '2 1764270000000' });
  expect(build.recordSeenStopped(job, 5)).toEqual({ seenStopped: '2 5' });
  expect(crashNote(1)).toEqual({ crashes: '1' });
  expect(nextAttempt({ notes: {} }, 1, 'build')).toMatchObject({ notes: {} });
});

test('a note of an earlier attempt says nothing of this one', () => {
  const next = { ...EARLIER, attempt: 3 };
  expect(build.taskOf(next)).toBeNull();
  expect(build.isAnnounced(next)).toBe(false);
  expect(build.hasStopped(next)).toBe(false);
  expect(build.firstSeenEnded(next)).toBeUndefined();
  expect(build.firstSeenStopped(next)).toBeUndefined();
});

test.each(['', ' ', 'x', '-1', '1.5', '2 ', 'NaN'])('a damaged note (%j) counts as none', (text) => {
  const damaged = { attempt: 1, notes: { tries: text, start: text, crashes: text, ended: text, stopped: text } };
  if (text.trim() === '2') return expect(build.startNumber(damaged)).toBe(2);
  if (text.trim() !== '') expect(build.startNumber(damaged)).toBe(0);
  expect(build.hasStopped(damaged)).toBe(false);
  expect(build.firstSeenEnded(damaged)).toBeUndefined();
});

test('a plan is followed by whoever takes the analysis next; one that cannot be read is not replaced', () => {
  const plan = frontendPlan();
  const notes = { tries: '1', ...clone.recordPlan(plan) };
  expect(notes).toEqual({ tries: '1', plan: JSON.stringify(plan) });
  expect(clone.hasPlan({ notes })).toBe(true);
  expect(clone.recordedPlan({ notes })).toEqual(plan);
  expect(clone.countFailedAnalysis({ notes })).toBe(2);
  expect(clone.recordFailedAnalysis(2)).toEqual({ tries: '2' });
  expect(clone.recordedPlan({ notes: {} })).toBeNull();
  expect(() => clone.recordedPlan({ notes: { plan: '{"commit":1}' } })).toThrow();
  expect(() => clone.recordedPlan({ notes: { plan: '{' } })).toThrow();
});

test('no file outside the domain knows a key of the notes', () => {
  const root = join(__dirname, '../../..');
  const keys = [...Object.keys(BuildNotesSchema.shape), ...Object.keys(CloneNotesSchema.shape)].join('|');
  const uses = [
    new RegExp(`\\bnotes\\??\\.\\[?['"]?(${keys})\\b`),
    /\bnotes\??\.?\[/,
    new RegExp(`\\{[^{}]*\\b(${keys})\\b[^{}]*\\}\\s*=\\s*\\S*\\bnotes\\b`),
    /\.(note|handOn)\([^(){}]*\{/,
  ];
  const knows = (source: string) => uses.some((use) => use.test(source));
  // What stood there before is found.
  expect(knows('Number(job.notes.tries ?? 0)')).toBe(true);
  expect(knows('const { taskArn, cluster } = notes;')).toBe(true);
  expect(knows("queue.note(QUEUES.build, job.id, { looked: '1' })")).toBe(true);
  const found = ['lambdas', 'local', 'operator', 'bin'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name}`)
      .filter((name) => name.endsWith('.ts') && !name.startsWith('lambdas/domain/'))
      .filter((name) => knows(readFileSync(join(root, name), 'utf8'))),
  );
  expect(found).toEqual([]);
});

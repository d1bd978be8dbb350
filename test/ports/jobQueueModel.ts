import fc from 'fast-check';
import type { ClaimedJob, Job, JobQueue, Limits } from '../../lambdas/shared/ports.ts';
import type { FakeClock } from '../support/fakeClock.ts';

/** The queue as its port describes it, as simply as it can be written: a list in the order of addition. */
interface Model {
  jobs: Job[];
  ended: Set<string>;
  /** Ids in the other queue. */
  next: Set<string>;
  now: number;
}
interface Real {
  readonly queue: JobQueue;
  readonly clock: FakeClock;
}

const Q = 'build';

/** A step: what the model answers has to be what the queue answers, and what can be seen of both has to stay equal. */
function step(name: string, model: (m: Model) => unknown, real: (r: Real) => Promise<unknown>) {
  return {
    check: () => true,
    toString: () => name,
    async run(m: Model, r: Real) {
      expect(await real(r)).toEqual(model(m));
      expect(await r.queue.list(Q, 'waiting')).toEqual(waitingIn(m));
      expect((await r.queue.list(Q, 'active')).sort(byId)).toEqual(m.jobs.filter(isActive).sort(byId));
    },
  };
}

const byId = (a: Job, b: Job) => (a.id < b.id ? -1 : 1);
const isActive = (j: Job) => j.state === 'active';
const waitingIn = (m: Model) => [
  ...m.jobs.filter((j) => j.state === 'waiting' && j.runAt <= m.now),
  ...m.jobs.filter((j) => j.state === 'waiting' && j.runAt > m.now).sort((a, b) => a.runAt - b.runAt),
];

function replace(m: Model, id: string, next: (job: Job) => Job | null): boolean {
  const job = m.jobs.find((j) => j.id === id);
  const changed = job && next(job);
  if (!changed) return false;
  m.jobs = m.jobs.map((j) => (j.id === id ? changed : j));
  return true;
}

function end(m: Model, id: string): boolean {
  if (!m.jobs.some((j) => j.id === id)) return false;
  m.jobs = m.jobs.filter((j) => j.id !== id);
  m.ended.add(id);
  return true;
}

function waitingAgain({ leaseUntil: _, ...job }: Job, runAt: number): Job {
  return { ...job, state: 'waiting', runAt };
}

function take(m: Model, leaseMs: number, limits: Limits): ClaimedJob | null {
  const holding = m.jobs.filter((j) => isActive(j) && j.leaseUntil! > m.now);
  const free = (j: Job) =>
    holding.length < limits.global &&
    holding.filter((h) => h.owner === j.owner).length < (limits.owners?.[j.owner] ?? limits.perOwner) &&
    holding.filter((h) => h.projectId === j.projectId).length < limits.perProject;
  const lapsed = m.jobs.filter((j) => isActive(j) && j.leaseUntil! <= m.now);
  lapsed.sort((a, b) => a.leaseUntil! - b.leaseUntil! || byId(a, b));
  const due = m.jobs.filter((j) => !isActive(j) && j.runAt <= m.now);
  const found = [...lapsed, ...due].find(free);
  if (!found) return null;
  replace(m, found.id, (j) => ({ ...j, state: 'active', leaseUntil: m.now + leaseMs }));
  return { ...m.jobs.find((j) => j.id === found.id)!, leaseExpired: isActive(found) };
}

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const ms = fc.constantFrom(0, 10, 20, 50, 100);
const limits = fc.record({
  global: fc.integer({ min: 0, max: 5 }),
  perOwner: fc.integer({ min: 1, max: 3 }),
  perProject: fc.integer({ min: 1, max: 2 }),
  owners: fc.constantFrom({}, { ann: 1 }, { ann: 4, bob: 1 }),
});

export const queueCommands = fc.commands(
  [
    fc.tuple(id, fc.constantFrom('ann', 'bob'), fc.constantFrom('p', 'q', 'r')).map(([id, owner, projectId]) =>
      step(
        `add ${id} of ${owner}/${projectId}`,
        (m) => {
          if (m.ended.has(id) || m.jobs.some((j) => j.id === id)) return false;
          const times = { addedAt: m.now, runAt: m.now };
          m.jobs.push({ id, owner, projectId, data: null, state: 'waiting', attempt: 1, ...times, notes: {} });
          return true;
        },
        (r) => r.queue.enqueue(Q, { id, owner, projectId, data: null }),
      ),
    ),
    fc.tuple(ms, limits).map(([leaseMs, limits]) =>
      step(
        `take for ${leaseMs} within ${JSON.stringify(limits)}`,
        (m) => take(m, leaseMs, limits),
        (r) => r.queue.claim(Q, { leaseMs, limits }),
      ),
    ),
    fc.tuple(id, ms).map(([id, leaseMs]) =>
      step(
        `extend ${id} by ${leaseMs}`,
        (m) => replace(m, id, (j) => (isActive(j) ? { ...j, leaseUntil: m.now + leaseMs } : null)),
        (r) => r.queue.heartbeat(Q, id, leaseMs),
      ),
    ),
    fc.tuple(id, fc.constantFrom('x', 'y'), fc.string()).map(([id, key, value]) =>
      step(
        `note ${id} ${key}`,
        (m) => replace(m, id, (j) => ({ ...j, notes: { ...j.notes, [key]: value } })),
        (r) => r.queue.note(Q, id, { [key]: value }),
      ),
    ),
    fc.tuple(id, fc.array(id, { maxLength: 2 })).map(([id, next]) =>
      step(
        `hand ${id} on to ${next}`,
        (m) => {
          const known = replace(m, id, (j) => ({ ...j, notes: { ...j.notes, next: String(next) } }));
          if (known) for (const n of next) m.next.add(n);
          return [known, [...m.next].sort()];
        },
        async ({ queue }) => {
          const jobs = next.map((n) => ({ id: n, owner: 'o', projectId: 'p', data: null }));
          const known = await queue.enqueueFollowing(Q, id, { next: String(next) }, 'clone', jobs);
          return [known, (await queue.list('clone', 'waiting')).map((j) => j.id).sort()];
        },
      ),
    ),
    id.map((id) =>
      step(
        `complete ${id}`,
        (m) => end(m, id),
        (r) => r.queue.ack(Q, id),
      ),
    ),
    fc.tuple(id, fc.integer({ min: 1, max: 3 }), ms).map(([id, attempt, delay]) =>
      step(
        `retry ${id} after attempt ${attempt} in ${delay}`,
        (m) =>
          replace(m, id, (j) => {
            if (!isActive(j) || j.attempt !== attempt) return null;
            return { ...waitingAgain(j, m.now + delay), attempt: attempt + 1, notes: {} };
          }),
        (r) => r.queue.retry(Q, id, attempt, delay),
      ),
    ),
    fc.tuple(id, ms).map(([id, delay]) =>
      step(
        `release ${id} for ${delay}`,
        (m) => replace(m, id, (j) => (isActive(j) ? waitingAgain(j, m.now + delay) : null)),
        (r) => r.queue.requeue(Q, id, delay),
      ),
    ),
    id.map((id) =>
      step(
        `remove ${id}`,
        (m) => {
          const job = m.jobs.find((j) => j.id === id);
          if (job?.state === 'active') return 'active';
          return end(m, id) ? 'removed' : 'absent';
        },
        (r) => r.queue.remove(Q, id),
      ),
    ),
    ms.map((ms) =>
      step(
        `wait ${ms}`,
        (m) => {
          m.now += ms;
        },
        async (r) => r.clock.advance(ms),
      ),
    ),
  ],
  { maxCommands: 40 },
);

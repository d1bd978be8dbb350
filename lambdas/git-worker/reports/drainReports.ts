import { ReportJobSchema } from '../../../contract/gitHosts.ts';
import { QUEUES } from '../../../contract/names.ts';
import { HostBusyError } from '../../shared/gitHosts/askHost.ts';
import { noteFault } from '../../shared/gitHosts/gitFault.ts';
import { noteWait } from '../../shared/gitHosts/reportLedger.ts';
import { withLogFields } from '../../shared/logger.ts';
import type { ClaimedJob, Limits } from '../../shared/ports.ts';
import { LEASE_MS } from '../lease.ts';
import type { DrainReportsDeps, ReportDeps } from './deps.ts';
import { rememberWaiting } from './rememberWaiting.ts';
import { sendReport } from './sendReport.ts';

/** A host that does not answer must not hold up the reports to others. */
const AT_ONCE = 4;
/** One report of a project at a time: none is overtaken by an older one. */
const LIMITS: Limits = { global: 1_000, perOwner: 1_000, perProject: 1 };
/** For so long an outage of a host is survived. */
const MAX_AGE_MS = 24 * 3_600_000;
const MAX_PAUSE_MS = 900_000;

/**
 * Sends the reports that wait. Safe to run in several processes.
 * @returns True where no job was left that is due.
 */
export async function drainReports(given: DrainReportsDeps, mayTakeMore: () => boolean = () => true): Promise<boolean> {
  const deps: ReportDeps = { ...given, listWaiting: rememberWaiting(given.queue, given.clock) };
  const runs = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => drainOne(deps, mayTakeMore)));
  // Waits for all: an exception ends the invocation, and Lambda would freeze the process in the middle of a call.
  for (const run of runs) if (run.status === 'rejected') throw run.reason;
  return runs.every((run) => run.status === 'fulfilled' && run.value);
}

async function drainOne(deps: ReportDeps, mayTakeMore: () => boolean): Promise<boolean> {
  while (mayTakeMore()) {
    const job = await deps.queue.claim(QUEUES.report, { leaseMs: LEASE_MS, limits: LIMITS });
    if (!job) return true;
    await withLogFields({ projectId: job.projectId }, () => runJob(deps, job));
  }
  return false;
}

async function runJob(deps: ReportDeps, job: ClaimedJob): Promise<void> {
  const { queue, log, clock } = deps;
  const parsed = ReportJobSchema.safeParse(job.data);
  if (!parsed.success) {
    log.error('A job of the queue is none of its kind and was dropped', { jobId: job.id, error: parsed.error });
    await queue.ack(QUEUES.report, job.id);
    return;
  }
  try {
    const sent = await sendReport(deps, parsed.data);
    if (sent.kind === 'wait') await queue.requeue(QUEUES.report, job.id, withJitter(deps, sent.until - clock.now()));
    else await queue.ack(QUEUES.report, job.id);
  } catch (error) {
    await tryAgain(deps, job, error);
  }
}

/** After a fault of the host, or of ours: later, for up to a day. */
async function tryAgain(deps: ReportDeps, job: ClaimedJob, error: unknown): Promise<void> {
  const { queue, log, clock } = deps;
  const fields = { jobId: job.id, try: job.attempt, error };
  if (clock.now() - job.addedAt >= MAX_AGE_MS) {
    log.error('A report was given up', fields);
    if (error instanceof HostBusyError) {
      const { host, message: reason } = error;
      await noteFault(deps, job.projectId, { code: 'GIT_HOST_UNANSWERED', details: { host, reason } });
    }
    await queue.ack(QUEUES.report, job.id);
    return;
  }
  log.warn('A report could not be sent and is tried again', fields);
  await queue.retry(QUEUES.report, job.id, job.attempt, await pauseAfter(deps, job, error));
}

/**
 * How long to wait (ms): as the host asks for, else exponentially. The project's other reports wait, too, so that an
 * outage is met by one call at a time.
 */
async function pauseAfter(deps: ReportDeps, { projectId, attempt }: ClaimedJob, error: unknown): Promise<number> {
  const project = error instanceof HostBusyError ? await deps.projects.get(projectId) : null;
  if (!(error instanceof HostBusyError) || !project) return pauseOf(deps, attempt);
  const { failures = 0 } = await deps.ledgers.read(project);
  const waitMs = error.waitMs === undefined ? pauseOf(deps, failures + 1) : withJitter(deps, error.waitMs);
  await deps.ledgers.change(project, (ledger) => noteWait(ledger, deps.clock.now() + waitMs));
  return waitMs;
}

/** At most a quarter of an hour. */
const pauseOf = (deps: ReportDeps, failures: number) =>
  Math.round(Math.min(MAX_PAUSE_MS, 1_000 * 2 ** Math.min(failures, 20)) * (0.5 + drawRandom(deps) / 2));

/** Never earlier than asked for. */
const withJitter = (deps: ReportDeps, ms: number) => Math.round(Math.max(1_000, ms) * (1 + drawRandom(deps) / 5));

const drawRandom = ({ random = Math.random }: ReportDeps) => random();

import { type ReportJob, ReportJobSchema } from '../../../contract/gitHosts.ts';
import { QUEUES } from '../../../contract/names.ts';
import { HostBusyError } from '../../shared/gitHosts/askHost.ts';
import { noteFault } from '../../shared/gitHosts/gitFault.ts';
import { noteWait } from '../../shared/gitHosts/reportLedger.ts';
import type { ClaimedJob, Limits } from '../../shared/ports.ts';
import { drainSends, pauseOf, type Sends, withJitter } from '../drainSends.ts';
import { LEASE_MS } from '../lease.ts';
import type { DrainReportsDeps, ReportDeps } from './deps.ts';
import { rememberWaiting } from './rememberWaiting.ts';
import { sendReport } from './sendReport.ts';

/** One report of a project at a time: none is overtaken by an older one. */
const LIMITS: Limits = { global: 1_000, perOwner: 1_000, perProject: 1 };

/**
 * Sends the reports that wait. Safe to run in several processes.
 * @returns True where no job was left that is due.
 */
export function drainReports(given: DrainReportsDeps, mayTakeMore: () => boolean = () => true): Promise<boolean> {
  const deps: ReportDeps = { ...given, listWaiting: rememberWaiting(given.queue, given.clock) };
  return drainSends(deps, reports(deps), mayTakeMore);
}

const reports = (deps: ReportDeps): Sends<ReportJob> => ({
  ...{ queue: QUEUES.report, schema: ReportJobSchema, what: 'A report', leaseMs: LEASE_MS, limits: LIMITS },
  send: (_job, data) => sendReport(deps, data),
  pauseAfter: (job, _data, error) => pauseAfter(deps, job, error),
  async noteGivenUp({ projectId }, error) {
    if (!(error instanceof HostBusyError)) return;
    const { host, message: reason } = error;
    await noteFault(deps, projectId, { code: 'GIT_HOST_UNANSWERED', details: { host, reason } });
  },
});

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

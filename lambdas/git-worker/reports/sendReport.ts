import { VerenError } from '../../../contract/errors.ts';
import type { GitConnection, GitHost, ReportJob } from '../../../contract/gitHosts.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import { clearFault, type GitFaultCode, noteFault } from '../../shared/gitHosts/gitFault.ts';
import { findHostApi } from '../../shared/gitHosts/hostApi.ts';
import { openToken } from '../../shared/gitHosts/hostToken.ts';
import { type HostWriter, openHostWriter } from '../../shared/gitHosts/hostWriter.ts';
import {
  findRun,
  findTold,
  isNewer,
  type Ledger,
  linkPull,
  noteAnswered,
  noteComment,
  noteCommit,
  noteRun,
} from '../../shared/gitHosts/reportLedger.ts';
import { DONE, type Sent } from '../drainSends.ts';
import type { ReportDeps } from './deps.ts';
import { commentMarker } from './describeComment.ts';
import { findReported, type Reported } from './findReported.ts';
import { findDueEnvironment, writeEnvironment } from './reportEnvironment.ts';

/** All calls of one report together (ms): shorter than its lease. What is not told by then is told by its next try. */
const REPORT_MS = 100_000;

/** No repeat of a report would cure them, and a report that was taken shows that they are over. */
const FINAL = [
  'GIT_TOKEN_REFUSED',
  'GIT_TOKEN_ELSEWHERE',
  'GIT_REPORT_REFUSED',
  'GIT_API_FORBIDDEN',
  'GIT_HOST_FORBIDDEN',
  'GIT_APP_MISSING',
  'GIT_APP_REFUSED',
  'SECRETS_UNREADABLE',
] as const satisfies GitFaultCode[];

/**
 * Tells the git host how a deployment stands now: the status of its commit and the comment of its pull requests. What is
 * older than what the host knows is left out. Throws HostBusyError where it is to be tried again.
 */
export async function sendReport(deps: ReportDeps, job: ReportJob): Promise<Sent> {
  const project = await deps.projects.get(job.projectId);
  const connection = project?.settings.connection;
  if (!project || project.deleting || !connection || project.owner !== job.owner) return DONE;
  const { host } = connection;
  if (host === 'git') return DONE;
  if (connection.statuses === false && connection.comments === false && !connection.app) return DONE;
  const reported = await findReported(deps, project, job);
  if (!reported) return DONE;
  const { numbers, told } = reported;
  const link = (before: Ledger) => numbers.reduce((linked, n) => linkPull(linked, n, told.deploymentId), before);
  const known = await deps.ledgers.read(project);
  const ledger = link(known) === known ? known : await deps.ledgers.change(project, link);
  const due = findDue(connection, reported, ledger);
  if (due.commit === undefined && due.comments.length === 0 && !due.environment) return DONE;
  if (ledger.waitUntil !== undefined && ledger.waitUntil > deps.clock.now())
    return { kind: 'wait', until: ledger.waitUntil };
  const faults: Fault[] = [];
  const writer = await collectFault(faults, () => openWriter(deps, project, { ...connection, host }, reported));
  if (writer === 'absent') return DONE;
  if (writer) await writeDue(deps, project, { ...due, reported, writer, faults });
  const [fault] = faults;
  if (!fault) await clearFault(deps, project.projectId, [...FINAL, 'GIT_HOST_UNANSWERED']);
  else {
    deps.log.warn('A git host takes no report of a project', { code: fault.code, error: fault });
    await noteFault(deps, project.projectId, { code: fault.code, details: fault.details });
  }
  return DONE;
}

function findDue(connection: GitConnection, reported: Reported, ledger: Ledger) {
  const { commit, list, told, isForgettable } = reported;
  const known = commit === undefined ? undefined : findTold(ledger, list, commit);
  const isDue = connection.statuses !== false && (!isForgettable || known !== undefined) && isNewer(told, known);
  return {
    /** The one whose status is to be written. */
    commit: isDue ? commit : undefined,
    comments: (connection.comments === false ? [] : ledger.pulls)
      .filter((pull) => pull.deploymentId === told.deploymentId && isNewer(told, pull.told))
      .map(({ number }) => number),
    environment: findDueEnvironment(connection, reported, ledger),
  };
}

type Fault = VerenError & { readonly code: GitFaultCode };

/** Runs a part of the work. What no repeat would cure is collected, and ends that part only. */
async function collectFault<T>(faults: Fault[], run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof VerenError) || !(FINAL as readonly string[]).includes(error.code)) throw error;
    faults.push(error as Fault);
    return undefined;
  }
}

async function openWriter(
  deps: ReportDeps,
  project: ProjectDocument,
  connection: GitConnection & { readonly host: GitHost },
  { gitUrl }: Reported,
): Promise<HostWriter | 'absent'> {
  const signal = AbortSignal.timeout(deps.rules.reportMs ?? REPORT_MS);
  if (connection.app) {
    const { repository } = connection;
    const url = project.settings.gitUrl ?? gitUrl;
    const app = await deps.mintAppToken({ owner: project.owner, repository, gitUrl: url, purpose: 'report' });
    const api = { ...app.api, signal };
    return openHostWriter({ host: 'github', repository, api, token: app.token, app, clock: deps.clock });
  }
  const { token } = await deps.secrets.read(project);
  if (token === undefined) return 'absent';
  const found = findHostApi(connection, project.settings.gitUrl ?? gitUrl, deps.rules);
  const api = { ...found, signal };
  const { host, repository } = connection;
  return openHostWriter({ host, repository, api, token: openToken(token, api.url), clock: deps.clock });
}

interface Due {
  readonly reported: Reported;
  readonly writer: HostWriter;
  readonly faults: Fault[];
  readonly commit: string | undefined;
  readonly comments: readonly number[];
  readonly environment: Reported['environment'];
}

/** What the host has refused counts as told: no repeat would change its answer. */
async function writeDue(
  deps: ReportDeps,
  project: ProjectDocument,
  { reported, writer, faults, commit, comments, environment }: Due,
): Promise<void> {
  const { told, list, isRunning } = reported;
  const { deploymentId } = told;
  const { report, text } = await reported.describe();
  const collect = <T>(run: () => Promise<T>) => collectFault(faults, run);
  if (commit !== undefined) {
    const ids = project.settings.connection?.app ? findRun(await deps.ledgers.read(project), deploymentId) : undefined;
    const checkId = await collect(() =>
      project.settings.connection?.app
        ? writer.writeCheck({ ...report, commit, deploymentId, isRunning }, ids?.checkId)
        : writer.writeStatus({ ...report, commit }).then(() => undefined),
    );
    await deps.ledgers.change(project, (before) => {
      const noted = noteCommit(noteAnswered(before), list, commit, told);
      return checkId === undefined ? noted : noteRun(noted, deploymentId, { checkId });
    });
  }
  if (environment) await writeEnvironment(deps, { project, reported, environment, report, writer, collect });
  for (const number of comments) {
    const { pulls } = await deps.ledgers.read(project);
    const known = pulls.find((pull) => pull.number === number)?.commentId;
    const marker = commentMarker(project, number);
    const id = await collect(() => writer.writeComment({ number, text, marker, known }));
    await deps.ledgers.change(project, (before) => noteComment(noteAnswered(before), number, told, id));
  }
}

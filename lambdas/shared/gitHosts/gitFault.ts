import { describeError, type ErrorCode, type ErrorDetails } from '../../../contract/errors.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { Clock } from '../ports.ts';
import type { ProjectStore } from '../projects/projectStore.ts';

/** Codes that a project's view shows as the last fault of its connection. */
export type GitFaultCode = Extract<
  ErrorCode,
  | 'GIT_TOKEN_REFUSED'
  | 'GIT_TOKEN_ELSEWHERE'
  | 'GIT_REPORT_REFUSED'
  | 'GIT_APP_MISSING'
  | 'GIT_APP_REFUSED'
  | 'GIT_API_FORBIDDEN'
  | 'GIT_HOST_FORBIDDEN'
  | 'GIT_HOST_UNANSWERED'
  | 'GIT_REPOSITORY_REPLACED'
  | 'GIT_DELIVERY_LOST'
  | 'GIT_WATCH_FAILED'
  | 'SECRETS_UNREADABLE'
>;

export interface FaultDeps {
  readonly projects: Pick<ProjectStore, 'change'>;
  readonly clock: Clock;
}

/** What is wrong with the connection of a project, newest first. */
export const faultsOf = ({
  gitFault,
  gitFaults = gitFault ? [gitFault] : [],
}: Pick<ProjectDocument, 'gitFault' | 'gitFaults'>): NonNullable<ProjectDocument['gitFaults']> => gitFaults;

/** Keeps in the project what its user can do something about, one of each code; nothing of a deployment changes. */
export async function noteFault(
  { projects, clock }: FaultDeps,
  projectId: string,
  { code, details }: { readonly code: GitFaultCode; readonly details: ErrorDetails },
): Promise<void> {
  const message = describeError(code, details as never);
  await projects.change(projectId, (project) => {
    const known = faultsOf(project);
    if (known.some((fault) => fault.code === code && fault.message === message)) return project;
    const others = known.filter((fault) => fault.code !== code);
    return withFaults(project, [{ code, message, at: new Date(clock.now()).toISOString() }, ...others]);
  });
}

/** Takes faults out that are over. Others stay. */
export async function clearFault(
  { projects }: Pick<FaultDeps, 'projects'>,
  projectId: string,
  codes: readonly GitFaultCode[],
): Promise<void> {
  await projects.change(projectId, (project) => {
    const known = faultsOf(project);
    const left = known.filter(({ code }) => !(codes as readonly string[]).includes(code));
    return left.length === known.length ? project : withFaults(project, left);
  });
}

const withFaults = (
  { gitFault: _, gitFaults: __, ...project }: ProjectDocument,
  faults: NonNullable<ProjectDocument['gitFaults']>,
): ProjectDocument => (faults.length === 0 ? project : { ...project, gitFaults: faults });

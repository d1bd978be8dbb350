import { describeError, type ErrorCode, type ErrorDetails } from '../../../contract/errors.ts';
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
  | 'GIT_DELIVERY_LOST'
  | 'SECRETS_UNREADABLE'
>;

export interface FaultDeps {
  readonly projects: Pick<ProjectStore, 'change'>;
  readonly clock: Clock;
}

/** Keeps in the project what its user can do something about; nothing of a deployment changes. */
export async function noteFault(
  { projects, clock }: FaultDeps,
  projectId: string,
  { code, details }: { readonly code: GitFaultCode; readonly details: ErrorDetails },
): Promise<void> {
  const message = describeError(code, details as never);
  await projects.change(projectId, (project) =>
    project.gitFault?.code === code && project.gitFault.message === message
      ? project
      : { ...project, gitFault: { code, message, at: new Date(clock.now()).toISOString() } },
  );
}

/** Takes a fault out that is over. Another one stays. */
export async function clearFault(
  { projects }: Pick<FaultDeps, 'projects'>,
  projectId: string,
  codes: readonly GitFaultCode[],
): Promise<void> {
  await projects.change(projectId, (project) => {
    const { gitFault, ...rest } = project;
    return gitFault && (codes as readonly string[]).includes(gitFault.code) ? rest : project;
  });
}

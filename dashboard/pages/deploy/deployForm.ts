import type { CreateDeployment, DeploymentView } from '../../../contract/api.ts';
import { REQUEST_RULE } from '../../../contract/planRules.ts';
import type { ProjectSettings, ProjectView } from '../../../contract/project.ts';
import { isUpload } from '../../ui/isUpload.ts';
import { suggestName } from './suggestName.ts';

/** What the form of a deployment holds; empty texts are the platform's to decide. */
export interface DeployForm {
  readonly gitUrl: string;
  /** Empty: the suggested one. */
  readonly projectId: string;
  readonly ref: string;
  readonly frontendPath: string;
  readonly backendPath: string;
  readonly environment: '' | 'production' | 'preview';
  readonly gitToken: string;
  readonly force: boolean;
}

export const EMPTY_FORM: DeployForm = {
  ...{ gitUrl: '', projectId: '', ref: '', frontendPath: '', backendPath: '' },
  ...{ environment: '', gitToken: '', force: false },
};

/**
 * The form for another deployment of a project: what its settings say, and what an earlier deployment was asked for
 * besides. Folders that were found are found again.
 * @param before Null where there is none
 */
export function formOfProject({ projectId, settings }: ProjectView, before: DeploymentView | null): DeployForm {
  const gitUrl = settings.gitUrl ?? (before && !isUpload(before.gitUrl) ? before.gitUrl : '');
  // Branches and folders of another repository are none of this one.
  if (!before || repositoryOf(before.gitUrl) !== repositoryOf(gitUrl)) return { ...EMPTY_FORM, projectId, gitUrl };
  const { plan, environment } = before;
  const ref = before.ref === null ? '' : (plan?.branch ?? plan?.tag ?? before.ref);
  // The branch alone would make a preview of it.
  const isByRequest = environment === 'production' && plan?.lane !== undefined && plan.lane !== 'production';
  return {
    ...{ ...EMPTY_FORM, projectId, gitUrl, ref, ...askedFolders(before, settings) },
    environment: isByRequest ? 'production' : '',
  };
}

/** Git hosts and people write the same address in several ways. */
const repositoryOf = (gitUrl: string) => gitUrl.replace(/\/+$/, '').replace(/\.git$/i, '');

function askedFolders(
  { plan }: DeploymentView,
  settings: ProjectSettings,
): Pick<DeployForm, 'frontendPath' | 'backendPath'> {
  const isAsked = [plan?.frontend, plan?.backend].some((part) =>
    part?.evidence.some(({ field, rule }) => field === 'path' && rule === REQUEST_RULE),
  );
  if (!isAsked) return { frontendPath: '', backendPath: '' };
  const root = settings.rootDirectory?.replace(/^(\.\/)+|\/+$/g, '') ?? '';
  // Those of a request are relative to the project's folder, those of a plan to the repository.
  const within = (path = '') =>
    root !== '' && root !== '.' && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
  return { frontendPath: within(plan?.frontend?.path), backendPath: within(plan?.backend?.path) };
}

/** Only what was filled in. Where one folder is named, the other part is left out. */
export function requestOf(form: DeployForm, settings: ProjectSettings = {}): CreateDeployment {
  const [gitUrl, ref, frontend, backend] = [form.gitUrl, form.ref, form.frontendPath, form.backendPath].map((text) =>
    text.trim(),
  ) as [string, string, string, string];
  const { environment, gitToken, force } = form;
  const part = (path: string) => (path === '' ? (false as const) : { path });
  return {
    projectId: form.projectId.trim() || suggestName(gitUrl),
    ...(gitUrl && gitUrl !== settings.gitUrl && { gitUrl }),
    ...(ref && { ref }),
    ...((frontend || backend) && { frontend: part(frontend), backend: part(backend) }),
    ...(environment && { environment }),
    ...(gitToken && { gitToken }),
    ...(force && { force }),
  };
}

/** Which folders the settings of a project fix, in a sentence; empty where they fix none. */
export function describeFolders({ rootDirectory, frontend, backend }: ProjectSettings = {}): string {
  const fixed = [
    rootDirectory && `looks at ${rootDirectory} alone`,
    frontend && frontend.path !== undefined && `has its frontend in ${frontend.path}`,
    backend && backend.path !== undefined && `has its backend in ${backend.path}`,
  ].filter(Boolean);
  return fixed.length === 0 ? '' : `By its settings the project ${fixed.join(', ')}.`;
}

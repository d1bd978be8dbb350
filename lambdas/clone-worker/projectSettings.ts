import type { BackendOverrides, FrontendOverrides } from '../../contract/api.ts';
import type { DeploymentRequest } from '../../contract/jobs.ts';
import type { ProjectSettings } from '../../contract/project.ts';
import { join } from '../../contract/repo-fs.ts';

type Overrides = FrontendOverrides & BackendOverrides;

/** A request with the settings of its project beneath it. */
export interface ProjectRequest extends DeploymentRequest {
  /** The folder of the repository that the project is. */
  readonly path?: string | undefined;
  readonly alsoReads?: readonly string[] | undefined;
  /** Fields that the project's settings have decided, e.g. `frontend.buildCommand`. */
  readonly fromProject: readonly string[];
}

/** Puts a request over the project's settings: field by field the request wins. Paths are those of the repository. */
export function applyProjectSettings(request: DeploymentRequest, settings: ProjectSettings): ProjectRequest {
  const fromProject: string[] = [];
  const root = settings.rootDirectory?.replace(/^(?:\.\/)+|\/+$/g, '');
  const path = root === '' || root === '.' ? undefined : root;
  const merge = <T extends Overrides>(target: 'frontend' | 'backend', asked: false | T | undefined) => {
    const stated = settings[target] as false | T | undefined;
    if (asked === false || stated === undefined) return inRoot(asked, path);
    if (stated === false) return asked === undefined ? (false as const) : inRoot(asked, path);
    const isRuntimeAsked = asked?.runtime !== undefined || asked?.nodeVersion !== undefined;
    const merged: Record<string, unknown> = { ...asked };
    for (const [name, value] of Object.entries(stated)) {
      if (value === undefined || merged[name] !== undefined) continue;
      // Both are one choice.
      if (isRuntimeAsked && (name === 'runtime' || name === 'nodeVersion')) continue;
      merged[name] = value;
      fromProject.push(`${target}.${name}`);
    }
    return inRoot(merged as T, path);
  };
  const frontend = merge('frontend', request.frontend);
  const backend = merge('backend', request.backend);
  for (const name of Object.keys(settings.git ?? {}))
    if (request.git?.[name as keyof typeof request.git] === undefined) fromProject.push(`git.${name}`);
  if (settings.publication !== undefined && request.publication === undefined) fromProject.push('publication');
  const git = settings.git || request.git ? { ...settings.git, ...request.git } : undefined;
  const publication = request.publication ?? settings.publication;
  return {
    ...request,
    ...(frontend !== undefined && { frontend }),
    ...(backend !== undefined && { backend }),
    ...(git && { git }),
    ...(publication !== undefined && { publication }),
    ...(path !== undefined && { path }),
    ...(settings.alsoReads && { alsoReads: settings.alsoReads }),
    fromProject,
  };
}

const inRoot = <T extends Overrides>(asked: false | T | undefined, root: string | undefined): false | T | undefined =>
  asked && root !== undefined && asked.path !== undefined ? { ...asked, path: join(root, asked.path) } : asked;

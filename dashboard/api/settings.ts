import type { ProjectSettings, ProjectView } from '../../contract/project.ts';
import { callApi, pathOf } from './callApi.ts';

/** What is to change; null takes a setting away. */
export type SettingsChange = { readonly [Name in keyof ProjectSettings]?: ProjectSettings[Name] | null | object };

/** What is not named stays as it is. */
export const changeSettings = (projectId: string, change: SettingsChange) =>
  callApi<ProjectView>('PATCH', pathOf('projects', projectId), { body: change });

export const deleteProject = (projectId: string) => callApi<ProjectView>('DELETE', pathOf('projects', projectId));

export const restoreProject = (projectId: string) =>
  callApi<ProjectView>('POST', pathOf('projects', projectId, 'restore'));

export const dropCaches = (projectId: string) =>
  callApi<{ dropped: { bytes: number }[] }>('DELETE', pathOf('projects', projectId, 'cache'));

export const setPreviewPassword = (projectId: string, password: string) =>
  callApi<unknown>('PUT', pathOf('projects', projectId, 'preview-password'), { body: { password } });

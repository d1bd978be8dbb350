import type { ProjectView } from '../../contract/project.ts';
import { callApi, pathOf } from './callApi.ts';
import type { SettingsChange } from './settingsChange.ts';

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

import type { ProjectSettings } from '../../contract/project.ts';

/** What is to change, as a merge patch: null takes a setting away, what is not named stays. */
export type SettingsChange = { readonly [Name in keyof ProjectSettings]?: ProjectSettings[Name] | null | object };

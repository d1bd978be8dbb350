import { z } from 'zod';
import { CreateDeploymentSchema } from './api.ts';

/** Name of the settings file: in the repository's root, and in the folder of a target. */
export const SETTINGS_FILE = 'veren.json';
/** A settings file has a few lines; a longer one is refused. */
export const MAX_SETTINGS_BYTES = 32 * 1024;
/** Where the API serves the JSON Schema of the file. */
export const SETTINGS_SCHEMA_PATH = '/veren.schema.json';

/**
 * `veren.json`: what a repository says about its own deployment, in the words of the request. Left out of it is all that
 * belongs to whoever deploys: the project, the repository and ref, tokens, variables, and what becomes of caches.
 */
export const SettingsFileSchema = z
  .strictObject({
    $schema: z.string().max(2_048).optional().describe('Address of this schema, for editors. Not read.'),
    ...CreateDeploymentSchema.pick({ frontend: true, backend: true, git: true, publication: true }).shape,
  })
  .describe('Settings of a repository that Veren deploys. A request wins over them, and they win over detection.');
export type SettingsFile = z.infer<typeof SettingsFileSchema>;
/** What the schema says of one fault. */
export type SettingsIssue = z.core.$ZodIssue;

/** The file as JSON Schema of the draft that editors know. */
export function describeSettingsFile(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(SettingsFileSchema, { target: 'draft-7', io: 'input' }),
    $id: 'urn:veren:settings-file',
    title: SETTINGS_FILE,
  };
}

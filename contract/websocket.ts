import { z } from 'zod';
import { ProjectIdSchema } from './api.ts';
import { ReleaseSchema } from './project.ts';
import { DeploymentRecordSchema } from './record.ts';

/** What a client sends. One subject per message; a connection may have many. */
export const ClientMessageSchema = z.union([
  z.strictObject({ action: z.literal('subscribe'), deploymentId: z.string().min(1).max(64) }),
  z.strictObject({ action: z.literal('subscribe'), projectId: ProjectIdSchema }),
]);
export type ClientMessage = z.infer<typeof ClientMessageSchema>;

/** What it receives: first the snapshot (newest first, in one or more messages), then every record that changes; an error closes nothing. */
export const ServerMessageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    deploymentId: z.string().optional(),
    projectId: z.string().optional(),
    /** Of a project: summaries, without the output of commands and the plan's reasons. */
    records: z.array(DeploymentRecordSchema),
    /** Another message of this snapshot follows. */
    more: z.literal(true).optional(),
    /** The record was too long for a message: `GET /deployments/{id}` has all of it. */
    shortened: z.literal(true).optional(),
  }),
  z.object({
    type: z.literal('deployment'),
    record: DeploymentRecordSchema,
    shortened: z.literal(true).optional(),
  }),
  /** Production serves another deployment, or was pinned or unpinned. For who has subscribed to the project. */
  z.object({
    type: z.literal('release'),
    projectId: z.string(),
    release: ReleaseSchema.nullable(),
    pinned: z.boolean(),
  }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string() }),
]);
export type ServerMessage = z.infer<typeof ServerMessageSchema>;

/** Deployments in a project's snapshot. */
export const SNAPSHOT_LIMIT = 20;

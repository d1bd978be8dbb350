import { z } from 'zod';
import { ImageEnvSchema } from '../../shared/env.ts';

const path = z.string().startsWith('/', 'must be an absolute path');
const list = z
  .string()
  .transform((s) => s.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()])))
  .default([]);

/** What the backend builder's image gives, besides what both builders have. */
export const BackendImageEnvSchema = ImageEnvSchema.extend({
  /** Folder with the Dockerfiles of the users' images and the two scripts that go into them. Set by main.sh. */
  VEREN_TEMPLATES: path,
  /** The Kaniko executor, and crane, which pushes. Absent on a laptop. */
  VEREN_KANIKO: path.optional(),
  VEREN_CRANE: path.optional(),
  /** Layer with the adapter that services on Lambda need. Absent: images are pushed as they were built. */
  VEREN_SERVICE_LAYER: path.optional(),
  /** `1`: nothing here makes images, so a backend is built in its folder (laptop). */
  VEREN_SERVICE_FOLDERS: z.enum(['0', '1']).default('0'),
  /** Folder of the socket of the other container: only in a task that has two. */
  VEREN_CHANNEL: path.optional(),
  /** More of Kaniko's own flags, before those of the build: for a version that needs one to behave as the pinned one does. */
  VEREN_KANIKO_FLAGS: list,
  /** Registries that have Docker Hub's images: asked first. */
  VEREN_REGISTRY_MIRRORS: list,
  /** Registries on plain HTTP, other than loopback ones. */
  VEREN_INSECURE_REGISTRIES: list,
});
export type BackendImageEnv = z.infer<typeof BackendImageEnvSchema>;

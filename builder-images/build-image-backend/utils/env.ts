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
  /** More of Kaniko's own flags, before those of the build: for a version that needs one to behave as the pinned one does. */
  VEREN_KANIKO_FLAGS: list,
  /** Registries that have Docker Hub's images: asked first. */
  VEREN_REGISTRY_MIRRORS: list,
  /** Registries on plain HTTP, other than loopback ones. */
  VEREN_INSECURE_REGISTRIES: list,
});
export type BackendImageEnv = z.infer<typeof BackendImageEnvSchema>;

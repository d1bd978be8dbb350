import { z } from 'zod';

/** All that the isolated container is told. The other side is trusted here. */
export const IsolatedJobSchema = z.object({
  /** Relative to the context. */
  dockerfile: z.string().min(1),
  /** Variables that the Dockerfile names by ARG. */
  buildArgs: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
});
export type IsolatedJob = z.infer<typeof IsolatedJobSchema>;

/** How Kaniko ended. Comes from where the user's steps ran, so it is checked like anything of theirs. */
export const IsolatedEndSchema = z.strictObject({ exitCode: z.int().min(0).max(255) });

/** Name of the socket in the volume that both containers have. */
export const SOCKET_NAME = 'build.sock';

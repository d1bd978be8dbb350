import { z } from 'zod';

/** Commits of history that may be asked for by number; 0 asks for all of them. */
const MAX_FETCH_DEPTH = 1_000_000;

/** What a build gets of the repository besides the files of its commit. Without it: nothing, and the plan warns. */
export const GitOptionsSchema = z.strictObject({
  /** Submodules, nested ones too, over https from addresses that a repository may have. Default: false. */
  submodules: z.boolean().optional(),
  /** Files that are kept in Git LFS in place of their pointers. Default: false. */
  lfs: z.boolean().optional(),
  /** Commits of history, the deployed one included; 0 is the whole history. Default: 1. */
  fetchDepth: z.int().min(0).max(MAX_FETCH_DEPTH).optional(),
  /** Tags of the fetched commits, for `git describe`. Default: false. */
  tags: z.boolean().optional(),
});
export type GitOptions = z.infer<typeof GitOptionsSchema>;

/**
 * Of a deployment with a frontend and a backend. `together`: the site is shown when both have been built, and not where
 * one fails. `independent`: each part is published by itself. Default: `together`.
 */
export const PublicationSchema = z.enum(['together', 'independent']);

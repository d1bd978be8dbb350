import { z } from 'zod';

/**
 * How far a deployment is trusted. The lane decides which caches its builds read and write; no lane reaches another's.
 * `production`: the repository's default branch. `preview`: any other branch, tag or commit. `untrusted`: a change that
 * somebody from outside has proposed.
 */
export const LANES = ['production', 'preview', 'untrusted'] as const;
export const LaneSchema = z.enum(LANES);
export type Lane = z.infer<typeof LaneSchema>;

/** What a deployment does with the caches of its project and lane: start from them, or drop them and start without. */
export const CacheUseSchema = z.enum(['use', 'drop']);
export type CacheUse = z.infer<typeof CacheUseSchema>;

/** Which of a project's variables and addresses a deployment has. */
export const ENVIRONMENTS = ['production', 'preview'] as const;
export const EnvironmentSchema = z.enum(ENVIRONMENTS);
export type Environment = z.infer<typeof EnvironmentSchema>;

import { z } from 'zod';
import { BuildEnvSchema, MAX_VARIABLE_NAME, ProjectIdSchema } from './api.ts';
import { ENVIRONMENTS, EnvironmentSchema } from './lanes.ts';
import { ENV_NAME, reservedReason } from './variables.ts';

/**
 * What may see a variable of a project: the installation of packages, the build command, or the service that runs. No
 * step sees what is not meant for it.
 */
export const SEEN_BY = ['install', 'build', 'run'] as const;
export const SeenBySchema = z.enum(SEEN_BY);
export type SeenBy = z.infer<typeof SeenBySchema>;

/** Secrets that are shorter cannot be masked in a log without masking half of it, and are guessed at once. */
export const MIN_SECRET = 4;

/** A variable as it is stored: one name in one environment. Every value is sealed, whether it is a secret or not. */
export const SealedVariableSchema = z.object({
  name: z.string(),
  environment: EnvironmentSchema,
  secret: z.boolean(),
  seenBy: z.array(SeenBySchema),
  sealed: z.string(),
  updatedAt: z.iso.datetime(),
  by: z.string(),
  /** The version of the set with which it came. */
  since: z.int().min(1),
});
export type SealedVariable = z.infer<typeof SealedVariableSchema>;

/** One version of the variables of a project. A version never changes; a change of a variable makes another. */
export const VariableSetSchema = z.object({
  v: z.literal(1),
  projectId: ProjectIdSchema,
  version: z.int().min(1),
  at: z.iso.datetime(),
  variables: z.array(SealedVariableSchema),
});
export type VariableSet = z.infer<typeof VariableSetSchema>;

/** The name of a variable that a user may set. A reserved one is refused with the reason. */
export const VariableNameSchema = z
  .string()
  .max(MAX_VARIABLE_NAME)
  .regex(ENV_NAME, 'must be a variable name: letters, digits and _')
  .superRefine((name, ctx) => {
    const reason = reservedReason(name);
    if (reason !== null) ctx.addIssue({ code: 'custom', message: `is reserved by the platform. ${reason}` });
  });

const attributes = {
  /** Never given back, masked in logs, and not given to deployments of the lane `untrusted`. Default: false. */
  secret: z.boolean().optional(),
  /** Default: all. */
  environments: z.array(EnvironmentSchema).min(1).max(ENVIRONMENTS.length).optional(),
  /** Default: all. */
  seenBy: z.array(SeenBySchema).min(1).max(SEEN_BY.length).optional(),
};

const TOO_SHORT = `is too short for a secret: fewer than ${MIN_SECRET} characters cannot be masked in logs`;

export const SetVariableSchema = z
  .strictObject({ value: BuildEnvSchema.valueType, ...attributes })
  .superRefine(({ value, secret }, ctx) => {
    if (secret && value.length < MIN_SECRET) ctx.addIssue({ code: 'custom', path: ['value'], message: TOO_SHORT });
  });

/** Many variables in one step, which are one version: what is in a `.env` file, for example. */
export const SetVariablesSchema = z
  .strictObject({
    env: BuildEnvSchema,
    ...attributes,
    /** Removes all other variables of these environments. Default: they stay. */
    replace: z.boolean().optional(),
  })
  .superRefine(({ env, secret }, ctx) => {
    for (const [name, value] of Object.entries(env))
      if (secret && value.length < MIN_SECRET)
        ctx.addIssue({ code: 'custom', path: ['env', name], message: TOO_SHORT });
  });

export type SetVariables = z.infer<typeof SetVariablesSchema>;

export const VariablesQuerySchema = z.strictObject({ environment: EnvironmentSchema.optional() });

// --- answers --------------------------------------------------------------------------------------------------------

export const VariableViewSchema = z.object({
  name: z.string(),
  environments: z.array(EnvironmentSchema),
  secret: z.boolean(),
  seenBy: z.array(SeenBySchema),
  /** Absent for a secret. */
  value: z.string().optional(),
  updatedAt: z.iso.datetime(),
  /** The name of the token that set it. */
  by: z.string(),
});
export type VariableView = z.infer<typeof VariableViewSchema>;

/** Variables of a project. One name may be there twice, with a value for each environment. */
export const VariableListSchema = z.object({
  projectId: ProjectIdSchema,
  /** The version that the next deployment has; 0: there are no variables yet. */
  version: z.int().min(0),
  items: z.array(VariableViewSchema),
  /** Production's backend runs with an earlier version, which differs in what it sees. */
  outdated: z
    .object({
      deploymentId: z.string(),
      version: z.int().min(0),
      /** How it gets the current ones. */
      action: z.string(),
    })
    .optional(),
});
export type VariableList = z.infer<typeof VariableListSchema>;

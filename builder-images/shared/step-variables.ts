import { createHash, createHmac } from 'node:crypto';
import { variablesAtInstall, variablesAtPreparation } from './install-env.ts';

type Variables = Readonly<Record<string, string>>;

/** The user's variables as a job has them; what is absent is empty. */
export interface JobVariables {
  /** Seen by both commands. */
  readonly BUILD_ENV: Variables;
  readonly INSTALL_ONLY_ENV?: Variables | undefined;
  readonly BUILD_ONLY_ENV?: Variables | undefined;
  readonly SECRET_VARIABLES?: readonly string[] | undefined;
  readonly FINGERPRINT_KEY?: string | undefined;
}

/** As the install command has them. What is meant for it alone it has as it is, `NODE_ENV` and the like included. */
export const installVariables = (job: JobVariables): Record<string, string> => ({
  ...variablesAtInstall(job.BUILD_ENV),
  ...job.INSTALL_ONLY_ENV,
});

/** As the installation of a package manager has them. */
export function preparationVariables(job: JobVariables): Record<string, string> {
  const { NODE_OPTIONS: _, ...own } = job.INSTALL_ONLY_ENV ?? {};
  return { ...variablesAtPreparation(job.BUILD_ENV), ...own };
}

/** As the build command has them. */
export const buildStepVariables = (job: JobVariables): Record<string, string> => ({
  ...job.BUILD_ENV,
  ...job.BUILD_ONLY_ENV,
});

/** All of them, for settings of the platform's own that are among them. */
export const allVariables = (job: JobVariables): Record<string, string> => ({
  ...job.INSTALL_ONLY_ENV,
  ...buildStepVariables(job),
});

/** Values that the installation alone may see, and must not leave anywhere. */
export const installSecrets = ({ INSTALL_ONLY_ENV = {}, SECRET_VARIABLES = [] }: JobVariables): string[] =>
  Object.entries(INSTALL_ONLY_ENV).flatMap(([name, value]) => (SECRET_VARIABLES.includes(name) ? [value] : []));

/**
 * Hex digest of what an installation depends on. With a key, which jobs of projects with variables have, nobody can
 * guess a value from it: it lies in caches, and in a file that the build command can read.
 */
export const fingerprintOf = (key: string | undefined, value: unknown): string =>
  (key === undefined ? createHash('sha256') : createHmac('sha256', key)).update(JSON.stringify(value)).digest('hex');

/** Which variables a build has: those that a user may not set, with the reason, and those that the platform sets. */

export interface ReservedName {
  /** A name, or the beginning of names where it ends with `*`. */
  readonly name: string;
  readonly reason: string;
}

/** Everything that a user may not set. `docs/variables.md` has the same table; a test compares them. */
export const RESERVED_NAMES: readonly ReservedName[] = [
  {
    name: 'AWS_*',
    reason: 'The SDK of the builder reads its own credentials and endpoints from these names.',
  },
  { name: 'KAFKA_*', reason: 'The access of the builder to the broker has these names.' },
  { name: 'VEREN_*', reason: 'The platform tells a build about itself under these names.' },
  { name: 'LD_*', reason: 'The loader of every program takes libraries from them (Linux).' },
  { name: 'DYLD_*', reason: 'The loader of every program takes libraries from them (macOS).' },
  { name: 'PATH', reason: 'It decides which Node and package manager run: the plan chooses those.' },
  { name: 'HOME', reason: 'Every build has a home folder of its own, which is removed with it.' },
  { name: 'PROJECT_ID', reason: 'Names the project to the builder.' },
  { name: 'DEPLOYMENTID', reason: 'Names the deployment to the builder.' },
  { name: 'BASH_ENV', reason: 'bash runs the file that it names before each script.' },
  { name: 'ENV', reason: 'sh runs the file that it names before a session.' },
  { name: 'IFS', reason: 'It changes how a shell splits words.' },
  { name: 'SHELLOPTS', reason: 'It changes the options of bash, which does not let it be set.' },
  { name: '__proto__', reason: 'It is no ordinary name in JavaScript, which reads the variables.' },
  { name: 'constructor', reason: 'It is no ordinary name in JavaScript, which reads the variables.' },
  { name: 'prototype', reason: 'It is no ordinary name in JavaScript, which reads the variables.' },
];

/** The form of names that every shell can export. */
export const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const prefixes = RESERVED_NAMES.filter(({ name }) => name.endsWith('*')).map(({ name }) => name.slice(0, -1));
const whole = RESERVED_NAMES.filter(({ name }) => !name.endsWith('*')).map(({ name }) => name);

/** Names that a user may not set. */
export const RESERVED_ENV = new RegExp(`^(${prefixes.join('|')})|^(${whole.join('|')})$`);

/** Why a user may not set it; null where that is allowed. */
export const reservedReason = (name: string): string | null =>
  RESERVED_NAMES.find((row) => (row.name.endsWith('*') ? name.startsWith(row.name.slice(0, -1)) : name === row.name))
    ?.reason ?? null;

/** What every build is told about itself. Those without a value are not set. */
export const BUILD_VARIABLES = {
  CI: '`true`, unless the user sets another value.',
  VEREN: 'Always `1`.',
  VEREN_DEPLOYMENT_ID: 'Id of the deployment.',
  VEREN_PROJECT_ID: 'Id of the project.',
  VEREN_GIT_COMMIT: 'Full id of the commit.',
  VEREN_GIT_REF: 'The ref as the request named it; not set where it named none.',
  VEREN_GIT_BRANCH: 'The branch that was deployed; not set where a tag or commit was asked for.',
  VEREN_GIT_TAG: 'The tag that was deployed; not set for a branch or commit.',
  VEREN_GIT_URL: 'URL of the repository, without credentials.',
} as const;
export type BuildVariable = keyof typeof BUILD_VARIABLES;

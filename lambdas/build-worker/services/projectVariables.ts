import type { BuildJob } from '../../../contract/jobs.ts';
import { type OpenedVariable, openVariables } from '../../shared/projects/sealVariables.ts';
import type { VariableStore } from '../../shared/projects/variableStore.ts';
import type { SecretBox } from '../../shared/secretBox.ts';

/** The variables of a build's commands, by who may see them. What only a running service sees is not among them. */
export interface BuildVariables {
  /** Seen by both commands. */
  readonly shared: Readonly<Record<string, string>>;
  readonly installOnly: Readonly<Record<string, string>>;
  readonly buildOnly: Readonly<Record<string, string>>;
  /** Names of those that are no secrets, by the word of the user. */
  readonly plain: readonly string[];
  readonly secret: readonly string[];
  /** For fingerprints of variables: nobody without it can guess a value from one. */
  readonly fingerprintKey: string;
}

interface Deps {
  readonly secretBox: SecretBox;
  readonly variables: Pick<VariableStore, 'at'>;
}

/** Undefined where the project has none. Throws VARIABLES_LOST, VARIABLES_UNREADABLE. */
export async function readVariables(deps: Deps, job: BuildJob): Promise<BuildVariables | undefined> {
  const { variables: used, projectId, lane } = job;
  if (!used) return undefined;
  const [set, fingerprintKey] = await Promise.all([
    deps.variables.at(projectId, used.version),
    deps.secretBox.fingerprint(`variables of ${projectId}`),
  ]);
  const { environment } = used;
  const opened = await openVariables(deps.secretBox, set, { environment, lane, steps: ['install', 'build'] });
  return { ...mergeVariables(job.env, opened), fingerprintKey };
}

/** A variable of the request takes the place of the project's of the same name, and is seen as the request's are: by both. */
export function mergeVariables(
  request: Readonly<Record<string, string>>,
  project: readonly OpenedVariable[],
): Omit<BuildVariables, 'fingerprintKey'> {
  const given = project.filter(({ name }) => !Object.hasOwn(request, name));
  const pick = (isWanted: (variable: OpenedVariable) => boolean) =>
    Object.fromEntries(given.filter(isWanted).map(({ name, value }) => [name, value]));
  const sees = ({ seenBy }: OpenedVariable) => [seenBy.includes('install'), seenBy.includes('build')] as const;
  const nameOf = ({ name }: OpenedVariable) => name;
  return {
    shared: { ...pick((v) => sees(v).every(Boolean)), ...request },
    installOnly: pick((v) => sees(v)[0] && !sees(v)[1]),
    buildOnly: pick((v) => !sees(v)[0] && sees(v)[1]),
    plain: given.filter(({ secret }) => !secret).map(nameOf),
    secret: given.filter(({ secret }) => secret).map(nameOf),
  };
}

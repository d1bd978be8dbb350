import { buildEnvBytes, MAX_BUILD_ENV_BYTES, MAX_BUILD_VARIABLES } from '../../../contract/api.ts';
import { VerenError } from '../../../contract/errors.ts';
import { ENVIRONMENTS, type Environment } from '../../../contract/lanes.ts';
import { SEEN_BY, type SealedVariable, type SeenBy } from '../../../contract/project-variables.ts';
import { type SecretBox, sealedLength } from '../secretBox.ts';
import { sealVariable } from './sealVariables.ts';
import type { ChangeVariables } from './variableStore.ts';

/** What is set, under one name or many. */
export interface Setting {
  readonly env: Readonly<Record<string, string>>;
  readonly secret?: boolean | undefined;
  readonly environments?: readonly Environment[] | undefined;
  readonly seenBy?: readonly SeenBy[] | undefined;
  /** Removes every other variable of the environments. */
  readonly replace?: boolean | undefined;
}

type New = Omit<SealedVariable, 'since' | 'updatedAt'>;

/** Seals the values, and gives the change that puts them into a set. Throws TOO_MANY_VARIABLES when that is made. */
export async function settingChange(
  box: SecretBox,
  projectId: string,
  by: string,
  { env, secret = false, replace = false, ...given }: Setting,
): Promise<ChangeVariables> {
  // In the order of the lists, whatever the order of the request was, and each once.
  const environments = ENVIRONMENTS.filter((e) => given.environments?.includes(e) ?? true);
  const seenBy = SEEN_BY.filter((s) => given.seenBy?.includes(s) ?? true);
  const made: New[] = [];
  for (const [name, value] of Object.entries(env))
    for (const environment of environments) {
      const readers = { name, environment, secret, seenBy };
      made.push({ ...readers, by, sealed: await sealVariable(box, projectId, readers, value) });
    }
  return (before, { version, at }) => {
    const isSet = (v: SealedVariable) =>
      environments.includes(v.environment) && (replace || Object.hasOwn(env, v.name));
    const kept = before.filter((variable) => !isSet(variable));
    if (made.length === 0 && kept.length === before.length) return before;
    return checkLimits([...kept, ...made.map((one) => ({ ...one, since: version, updatedAt: at }))]);
  };
}

/** Without a name, or without all of them, in these environments: the same list where none of them is there. */
export function withoutVariables(
  before: readonly SealedVariable[],
  environments: readonly Environment[],
  name?: string,
): readonly SealedVariable[] {
  const kept = before.filter((v) => !(environments.includes(v.environment) && (name ?? v.name) === v.name));
  return kept.length === before.length ? before : kept;
}

/** The limits of a request's `env` hold for each environment. */
function checkLimits(variables: readonly SealedVariable[]): readonly SealedVariable[] {
  for (const environment of ENVIRONMENTS) {
    const own = variables.filter((v) => v.environment === environment);
    const bytes = buildEnvBytes(Object.fromEntries(own.map(({ name }) => [name, '']))) + sum(own.map(sealedLengthOf));
    const failWith = (reason: string) => new VerenError('TOO_MANY_VARIABLES', { environment, reason });
    if (own.length > MAX_BUILD_VARIABLES) throw failWith(`${own.length} of at most ${MAX_BUILD_VARIABLES}`);
    if (bytes > MAX_BUILD_ENV_BYTES) throw failWith(`${bytes} of at most ${MAX_BUILD_ENV_BYTES} bytes`);
  }
  return variables;
}

const sealedLengthOf = ({ sealed }: SealedVariable) => sealedLength(sealed);
const sum = (numbers: readonly number[]) => numbers.reduce((all, n) => all + n, 0);

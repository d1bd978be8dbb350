import { VerenError } from '../../../contract/errors.ts';
import type { Environment, Lane } from '../../../contract/lanes.ts';
import type { SealedVariable, SeenBy, VariableSet } from '../../../contract/project-variables.ts';
import type { SecretBox, SecretPlace } from '../secretBox.ts';

/** A variable whose value can be read. */
export interface OpenedVariable extends Pick<SealedVariable, 'name' | 'secret' | 'seenBy'> {
  readonly value: string;
}

type Readers = Pick<SealedVariable, 'name' | 'environment' | 'secret' | 'seenBy'>;

/** Who may see it is sealed with the value: nobody who can write to the bucket makes a secret plain, or shows it elsewhere. */
const placeOf = (projectId: string, { name, environment, secret, seenBy }: Readers): SecretPlace => ({
  projectId,
  variable: name,
  readers: [environment, secret ? 'secret' : 'plain', ...seenBy],
});

export const sealVariable = (box: SecretBox, projectId: string, readers: Readers, value: string): Promise<string> =>
  box.seal(value, placeOf(projectId, readers));

/** Throws VARIABLES_UNREADABLE. */
export async function openVariable(box: SecretBox, projectId: string, variable: SealedVariable): Promise<string> {
  try {
    return await box.open(variable.sealed, placeOf(projectId, variable));
  } catch (e) {
    if (!(e instanceof VerenError) || e.code !== 'SECRETS_UNREADABLE') throw e;
    throw new VerenError('VARIABLES_UNREADABLE', { name: variable.name, reason: e.message }, { cause: e });
  }
}

export interface Reader {
  readonly environment: Environment;
  readonly lane: Lane;
  /** What the variables are for. */
  readonly steps: readonly SeenBy[];
}

/**
 * What steps of a deployment may see of a set; nothing else of it is decrypted. The lane `untrusted` sees no secret,
 * since whoever proposed the change decides what its build does. Throws VARIABLES_UNREADABLE.
 */
export async function openVariables(
  box: SecretBox,
  { projectId, variables }: VariableSet,
  { environment, lane, steps }: Reader,
): Promise<OpenedVariable[]> {
  const seen = variables.filter(
    (variable) =>
      variable.environment === environment &&
      !(variable.secret && lane === 'untrusted') &&
      variable.seenBy.some((step) => steps.includes(step)),
  );
  return Promise.all(
    seen.map(async (variable) => {
      const { name, secret, seenBy } = variable;
      return { name, secret, seenBy, value: await openVariable(box, projectId, variable) };
    }),
  );
}

import type { VariableSet, VariableView } from '../../../contract/project-variables.ts';
import type { SecretBox } from '../secretBox.ts';
import { openVariable } from './sealVariables.ts';

/**
 * A set as it may be shown: secrets without their value. What was set for several environments at once, and has been left
 * so, is one item. By name.
 */
export async function viewVariables(box: SecretBox, { projectId, variables }: VariableSet): Promise<VariableView[]> {
  const items = new Map<string, VariableView>();
  for (const variable of variables) {
    const { name, environment, secret, seenBy, updatedAt, by, since } = variable;
    const known = items.get(`${name} ${since}`);
    if (known) {
      known.environments.push(environment);
      continue;
    }
    const shown = secret ? {} : { value: await openVariable(box, projectId, variable) };
    items.set(`${name} ${since}`, { name, environments: [environment], secret, seenBy, ...shown, updatedAt, by });
  }
  return [...items.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

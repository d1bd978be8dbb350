import { VariableSetSchema } from '../../contract/project-variables.ts';
import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import { listObjects } from '../../lambdas/shared/listObjects.ts';
import { openVariable, sealVariable } from '../../lambdas/shared/projects/sealVariables.ts';
import { isSealedWith, type SecretBox } from '../../lambdas/shared/secretBox.ts';

const PREFIX = '__variables/';

/**
 * Seals every value of every version anew that an earlier key than the current one has sealed. Nothing else of a version
 * changes, and a change that somebody makes meanwhile is kept. Safe to repeat. @returns How many values were sealed.
 */
export async function resealVariables(
  { s3, bucket, box }: { readonly s3: S3Calls; readonly bucket: string; readonly box: SecretBox },
  currentKey: string,
): Promise<number> {
  const documents = openDocuments(s3, bucket);
  let count = 0;
  for await (const { Key = '' } of listObjects(s3, bucket, PREFIX)) {
    const set = await documents.read(Key, VariableSetSchema);
    if (!set) continue;
    const anew = new Map<string, string>();
    for (const variable of set.variables)
      if (!isSealedWith(variable.sealed, currentKey)) {
        const value = await openVariable(box, set.projectId, variable);
        anew.set(variable.sealed, await sealVariable(box, set.projectId, variable, value));
      }
    if (anew.size === 0) continue;
    await documents.change(Key, VariableSetSchema, (now) =>
      now === null
        ? null
        : { ...now, variables: now.variables.map((v) => ({ ...v, sealed: anew.get(v.sealed) ?? v.sealed })) },
    );
    count += anew.size;
  }
  return count;
}

import { VerenError } from '../../../contract/errors.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import { clearFault, type FaultDeps, faultsOf, noteFault } from './gitFault.ts';
import type { GitSecretStore } from './gitSecrets.ts';
import { openToken } from './hostToken.ts';

/**
 * The stored token for reading a repository of the project; undefined where there is none, and where it was stored for
 * another host: then the project's view says so, and the repository is read without it.
 */
export async function readGitToken(
  deps: FaultDeps & { readonly secrets: Pick<GitSecretStore, 'read'> },
  project: ProjectDocument,
  gitUrl: string,
): Promise<string | undefined> {
  const { projectId } = project;
  const { token } = await deps.secrets.read(project);
  if (token === undefined) return undefined;
  try {
    const secret = openToken(token, gitUrl);
    if (faultsOf(project).length > 0) await clearFault(deps, projectId, ['GIT_TOKEN_ELSEWHERE']);
    return secret;
  } catch (error) {
    if (!(error instanceof VerenError) || error.code !== 'GIT_TOKEN_ELSEWHERE') throw error;
    await noteFault(deps, projectId, { code: error.code, details: error.details });
    return undefined;
  }
}

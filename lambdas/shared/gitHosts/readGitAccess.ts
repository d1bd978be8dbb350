import type { AppAccess } from '../../../contract/githubApp.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { MintAppToken } from './app/appTokens.ts';
import { withAppToken } from './app/withAppToken.ts';
import type { FaultDeps } from './gitFault.ts';
import type { GitSecretStore } from './gitSecrets.ts';
import { readGitToken } from './readGitToken.ts';

/** By what a repository of a project is read. */
export interface GitAccess {
  /** For reading it now. Absent: it is read as everybody can. */
  readonly token?: string | undefined;
  /** What a deployment of it is given. */
  readonly request: { readonly gitToken?: string | undefined; readonly gitApp?: AppAccess | undefined };
}

type Deps = FaultDeps & { readonly secrets: Pick<GitSecretStore, 'read'>; readonly mintAppToken: MintAppToken };

/** The owner's App where the connection says so, else the stored token. Throws what `withAppToken` does. */
export async function readGitAccess(deps: Deps, project: ProjectDocument, gitUrl: string): Promise<GitAccess> {
  const { connection } = project.settings;
  if (connection?.app) {
    const gitApp = { repository: connection.repository };
    const { gitToken } = await withAppToken(deps.mintAppToken, project.owner, { gitUrl, gitApp });
    return { token: gitToken, request: { gitApp } };
  }
  const gitToken = await readGitToken(deps, project, gitUrl);
  return gitToken === undefined ? { request: {} } : { token: gitToken, request: { gitToken } };
}

import { UPLOAD_SCHEME } from '../../contract/names.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { ExternalLink } from './ExternalLink.tsx';
import { shortCommit } from './formats.ts';
import { isUpload } from './isUpload.ts';

interface CommitOrUploadProps {
  readonly of: Pick<DeploymentRecord, 'commit' | 'gitUrl'>;
  readonly class?: string;
}

const UPLOADED = 'Uploaded folder';

/** Where the files are from, in one line: a repository without what all of them have in common. */
export const shortSource = (gitUrl: string): string =>
  isUpload(gitUrl) ? UPLOADED : gitUrl.replace(/^https?:\/\//, '').replace(/\.git$/, '');

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** What a deployment is called: its branch or tag. An uploaded folder has neither, and a commit may have none. */
export function nameOfDeployment({ plan, ref, commit, gitUrl }: DeploymentRecord): string {
  if (isUpload(gitUrl)) return UPLOADED;
  const name = plan?.branch ?? plan?.tag ?? ref;
  if (name === null) return 'Default branch';
  // Whoever names it shows the commit beside it, once it is known.
  if (COMMIT.test(name)) return commit === null ? `Commit ${shortCommit(name)}` : 'Commit';
  return name;
}

/** What stands beside the name: the commit once it is known, or of an uploaded folder its id; shortened as the command does. */
export function CommitOrUpload({ of: { commit, gitUrl }, ...rest }: CommitOrUploadProps) {
  const shown = isUpload(gitUrl)
    ? gitUrl.slice(UPLOAD_SCHEME.length, UPLOAD_SCHEME.length + 12)
    : commit && shortCommit(commit);
  return shown ? <code {...rest}>{shown}</code> : null;
}

/** A row of facts: the repository, or that it was a folder. */
export function SourceFact({ gitUrl }: { readonly gitUrl: string }) {
  return (
    <div>
      <dt>{isUpload(gitUrl) ? 'Source' : 'Repository'}</dt>
      <dd>{isUpload(gitUrl) ? UPLOADED : <ExternalLink href={gitUrl} />}</dd>
    </div>
  );
}

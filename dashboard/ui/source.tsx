import { UPLOAD_SCHEME } from '../../contract/names.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { ExternalLink } from './ExternalLink.tsx';

const UPLOADED = 'Uploaded folder';

const isUpload = (gitUrl: string): boolean => gitUrl.startsWith(UPLOAD_SCHEME);

/** Where the files are from, in one line: a repository without what all of them have in common. */
export const shortSource = (gitUrl: string): string =>
  isUpload(gitUrl) ? UPLOADED : gitUrl.replace(/^https?:\/\//, '').replace(/\.git$/, '');

/** What a deployment is called: its branch or tag. An uploaded folder has neither. */
export const nameOfDeployment = ({ plan, ref, gitUrl }: DeploymentRecord): string =>
  isUpload(gitUrl) ? UPLOADED : (plan?.branch ?? plan?.tag ?? ref ?? 'Default branch');

/** A row of facts: the repository, or that it was a folder. */
export function SourceFact({ gitUrl }: { readonly gitUrl: string }) {
  return (
    <div>
      <dt>{isUpload(gitUrl) ? 'Source' : 'Repository'}</dt>
      <dd>{isUpload(gitUrl) ? UPLOADED : <ExternalLink href={gitUrl} />}</dd>
    </div>
  );
}

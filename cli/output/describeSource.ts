import type { DeploymentView } from '../../contract/api.ts';
import { uploadIdOf } from '../../contract/uploads.ts';

/** The folder that a deployment was made of, shortened; undefined for one of a repository. */
export const shownUpload = ({ gitUrl }: Pick<DeploymentView, 'gitUrl'>): string | undefined =>
  uploadIdOf(gitUrl)?.slice(0, 12);

/** What was deployed, in a few words: branch or tag and commit, or the upload, which has neither. */
export function describeSource(record: Pick<DeploymentView, 'gitUrl' | 'ref' | 'commit'>): string {
  const upload = shownUpload(record);
  if (upload !== undefined) return `upload ${upload}`;
  const { ref, commit } = record;
  const name = ref === null || ref === commit ? undefined : ref;
  return [name, commit?.slice(0, 7)].filter(Boolean).join(' ') || '-';
}

import type { Release } from '../../../contract/project.ts';

/** The id of an automatic release is that of the deployment that has ended, and a word. */
export const automaticReleaseId = (ended: string): string => `${ended}-auto`;

/**
 * The deployment whose commit production shows by a release: of an automatic one the deployment that has ended, which may
 * show what an earlier one has built.
 */
export const showsRelease = ({ releaseId, deploymentId, kind }: Release): string => {
  const ended = releaseId.replace(/-auto$/, '');
  return kind === 'automatic' && releaseId === automaticReleaseId(ended) ? ended : deploymentId;
};

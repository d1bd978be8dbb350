import type { DeploymentRecord } from '../../contract/record.ts';

/** The deployment whose files and images are meant: an unchanged one was not built, and shows those of an earlier one. */
export const builtDeployment = ({ deploymentId, sameAs }: Pick<DeploymentRecord, 'deploymentId' | 'sameAs'>): string =>
  sameAs ?? deploymentId;

/** True where the files and images of a deployment are removed, or are about to be. */
export const isExpired = ({ expired }: Pick<DeploymentRecord, 'expired'>): boolean => expired !== undefined;

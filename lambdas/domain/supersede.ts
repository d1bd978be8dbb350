import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';

/** Which older deployments of a branch a newer one cancels: waiting ones, also running ones, or none. */
export type Supersede = 'waiting' | 'running' | 'off';

/**
 * True where the newer deployment cancels the older one: same project, repository and ref, and still in a state to
 * cancel.
 */
export const isSuperseded = (older: DeploymentRecord, by: DeploymentRecord, setting: Supersede): boolean =>
  sameLine(older, by) && older.deploymentId < by.deploymentId && mayEnd(older, setting);

const sameLine = (a: DeploymentRecord, b: DeploymentRecord) => a.gitUrl === b.gitUrl && a.ref === b.ref;

function mayEnd(older: DeploymentRecord, setting: Supersede): boolean {
  if (isTerminal(older.status)) return false;
  return setting === 'running' || older.status !== 'building';
}

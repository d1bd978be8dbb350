import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';

/** Which older deployments of a branch a newer one ends: those that wait, also those that are being built, or none. */
export type Supersede = 'waiting' | 'running' | 'off';

/** Whether the newer deployment ends the older one: of the same project, repository and ref, and not far enough yet. */
export const isSuperseded = (older: DeploymentRecord, by: DeploymentRecord, setting: Supersede): boolean =>
  sameLine(older, by) && older.deploymentId < by.deploymentId && mayEnd(older, setting);

const sameLine = (a: DeploymentRecord, b: DeploymentRecord) => a.gitUrl === b.gitUrl && a.ref === b.ref;

function mayEnd(older: DeploymentRecord, setting: Supersede): boolean {
  if (isTerminal(older.status)) return false;
  return setting === 'running' || older.status !== 'building';
}

import type { CreateDeps } from '../shared/deployments/createDeps.ts';
import type { MintAppToken } from '../shared/gitHosts/app/appTokens.ts';
import type { GitSecretStore } from '../shared/gitHosts/gitSecrets.ts';
import type { GitStateStore } from '../shared/gitHosts/gitState.ts';
import type { NoteDeletion } from '../shared/projects/deletions.ts';
import type { ReadTip } from '../shared/repo/readTip.ts';
import type { NotificationDeps } from './notifications/deps.ts';
import type { DrainReportsDeps } from './reports/deps.ts';

/** What the function for git hosts needs. */
export interface GitWorkerDeps extends CreateDeps, Pick<DrainReportsDeps, 'ledgers' | 'rules' | 'siteAddresses'> {
  readonly secrets: GitSecretStore;
  readonly gitState: GitStateStore;
  readonly mintAppToken: MintAppToken;
  readonly readTip: ReadTip;
  readonly mails?: NotificationDeps['mails'];
  readonly noteDeletion: NoteDeletion;
}

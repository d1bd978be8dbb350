import type { Mails } from '../../shared/notifications/mails.ts';
import type { GitPolicy } from '../../shared/repo/gitPolicy.ts';
import type { Resolve } from '../../shared/repo/hostAddress.ts';
import type { SecretBox } from '../../shared/secretBox.ts';
import type { ReportDeps } from '../reports/deps.ts';

type Shared = 'queue' | 'store' | 'projects' | 'siteAddresses' | 'clock' | 'random' | 'log';

export interface NotificationDeps extends Pick<ReportDeps, Shared> {
  readonly secretBox: Pick<SecretBox, 'open'>;
  /** Absent: there is no e-mail here. */
  readonly mails?: Pick<Mails, 'send'> | undefined;
  readonly rules: {
    /** Which addresses may be called: the same as for git hosts. */
    readonly policy: GitPolicy;
    /** @default - the system's */
    readonly resolve?: Resolve | undefined;
    /** Limit of one call (ms). @default - `CALL_MS` */
    readonly callMs?: number | undefined;
  };
}

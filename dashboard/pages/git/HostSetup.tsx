import type { GitSetup } from '../../../contract/gitApi.ts';
import type { GitConnection } from '../../../contract/gitHosts.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Notice } from '../../ui/Notice.tsx';
import { HookSetup } from './HookSetup.tsx';
import { HostToken } from './HostToken.tsx';

interface HostSetupProps {
  readonly projectId: string;
  readonly connection: GitConnection;
  readonly setup: GitSetup;
  readonly onChange: () => void;
}

/** How pushes get here, and with which right the host is asked: an App or watching need no webhook, and an App no token. */
export function HostSetup({ projectId, connection: { app, watch }, setup, onChange }: HostSetupProps) {
  const { may } = useSession();
  const hasHook = setup.hookUrl !== undefined && (setup.webhook.made || (!app && !watch));
  return (
    <>
      {app && (
        <Notice kind="info" title="Connected by the owner's GitHub App">
          <p>It tells of pushes and pull requests, reads the repository and reports to it.</p>
        </Notice>
      )}
      {watch && (
        <Notice kind="info" title="Watched">
          <p>
            This platform looks at the repository every few seconds and deploys what was pushed.
            {!app && !hasHook && ' Pull requests are not seen.'}
          </p>
        </Notice>
      )}
      {hasHook && <HookSetup projectId={projectId} setup={setup} onChange={onChange} />}
      {may('admin') && (setup.token || !app) && (
        <HostToken projectId={projectId} stored={setup.token} onChange={onChange} />
      )}
    </>
  );
}

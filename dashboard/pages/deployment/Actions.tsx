import { useLocation } from 'preact-iso/router';
import type { DeploymentView } from '../../../contract/api.ts';
import { isTerminal } from '../../../contract/statuses.ts';
import { cancelDeployment, promote, redeploy } from '../../api/deployments.ts';
import { paths } from '../../app/paths.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { useAction } from '../../ui/useAction.ts';

interface ActionsProps {
  readonly record: DeploymentView;
  readonly reload: () => void;
}

/** What can be done with a deployment as it is now. Without the scope for it there is nothing. */
export function Actions({ record, reload }: ActionsProps) {
  const { may } = useSession();
  const { route } = useLocation();
  const { deploymentId, projectId, status } = record;

  const cancel = useAction(async () => {
    await cancelDeployment(deploymentId);
    reload();
  }, 'Canceled. What was running is being stopped.');
  const again = useAction(async () => {
    const next = await redeploy(deploymentId);
    route(paths.deployment(next.deploymentId));
  }, 'The same commit is deployed again.');
  const release = useAction(async () => {
    const sure = await askConfirmation({
      title: 'Promote to production?',
      text: `Production of ${projectId} serves this deployment from then on. Nothing is built, and a rollback takes it back.`,
      action: 'Promote',
    });
    if (!sure) return false;
    await promote(deploymentId);
    reload();
  }, 'Production serves this deployment now.');

  if (!may('deploy')) return null;
  return (
    <div class="actions">
      {!isTerminal(status) && (
        <Button kind="danger" busy={cancel.busy} onClick={() => cancel.run()}>
          Cancel
        </Button>
      )}
      {isTerminal(status) && (
        <Button busy={again.busy} onClick={() => again.run()}>
          Redeploy
        </Button>
      )}
      {status === 'succeeded' && !record.released && !record.expired && (
        <Button kind="primary" busy={release.busy} onClick={() => release.run()}>
          Promote to production
        </Button>
      )}
    </div>
  );
}

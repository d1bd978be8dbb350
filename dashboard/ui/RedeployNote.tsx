import type { DeploymentRecord } from '../../contract/record.ts';
import { paths } from '../app/paths.ts';
import { shortId } from './formats.ts';

/** That a deployment repeats an earlier one; nothing where it does not. */
export function RedeployNote({ record: { redeployOf } }: { readonly record: DeploymentRecord }) {
  if (redeployOf === undefined) return null;
  return (
    <span class="soft">
      {' '}
      redeploy of{' '}
      <a href={paths.deployment(redeployOf)} title={redeployOf}>
        <code class="short-id">{shortId(redeployOf)}</code>
      </a>
    </span>
  );
}

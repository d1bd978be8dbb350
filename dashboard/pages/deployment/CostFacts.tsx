import type { DeploymentView } from '../../../contract/api.ts';
import { describeCost } from '../../../contract/money.ts';

/** What the deployment has cost, where that is known, and whether its project's budget has slowed it. */
export function CostFacts({ record: { cost, builds } }: { readonly record: DeploymentView }) {
  const slowed = builds.frontend?.slowed ?? builds.backend?.slowed;
  return (
    <>
      {cost && (
        <div>
          <dt>Cost</dt>
          <dd>{describeCost(cost)}</dd>
        </div>
      )}
      {slowed && (
        <div>
          <dt>Slowed</dt>
          <dd>{slowed.message}</dd>
        </div>
      )}
    </>
  );
}

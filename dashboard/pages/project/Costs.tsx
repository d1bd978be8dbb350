import { countOf } from '../../../contract/count.ts';
import { describeBudget, formatMoney } from '../../../contract/money.ts';
import { getCosts } from '../../api/costs.ts';
import { useLoadable } from '../../ui/useLoadable.ts';

/** What builds have cost in this month. Nothing where nothing costs, as on a laptop, and where it cannot be read. */
export function Costs({ projectId }: { readonly projectId: string }) {
  const { value } = useLoadable(`costs/${projectId}`, (signal) => getCosts(projectId, signal));
  if (!value || (value.deployments === 0 && !value.budget)) return null;
  const { budget } = value;
  return (
    <section class="card" aria-labelledby="costs">
      <h2 id="costs">Builds in {value.month}</h2>
      <dl class="facts">
        <div>
          <dt>Cost</dt>
          <dd>
            about {formatMoney(value.microUsd)} for {countOf(value.deployments, 'deployment')}
            {value.unpriced > 0 && `, ${value.unpriced} without an amount: no prices of their region`}
          </dd>
        </div>
        {budget && (
          <div>
            <dt>Budget</dt>
            <dd>
              <meter
                aria-label="Budget"
                min={0}
                max={100}
                high={80}
                optimum={0}
                value={Math.min(budget.percent, 100)}
              />{' '}
              {describeBudget(value)}
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}

import type { DeploymentView } from '../../../contract/api.ts';
import { SourceFact } from '../../ui/source.tsx';
import { Time } from '../../ui/Time.tsx';
import { CostFacts } from './CostFacts.tsx';

/** Where it came from, and under which names it is found elsewhere. */
export function Facts({ record }: { readonly record: DeploymentView }) {
  const { trigger } = record;
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">Origin</h2>
      <dl class="facts">
        <SourceFact gitUrl={record.gitUrl} />
        {record.commit && (
          <div>
            <dt>Commit</dt>
            <dd>
              <code>{record.commit}</code>
            </dd>
          </div>
        )}
        <div>
          <dt>Begun</dt>
          <dd>
            <Time at={record.createdAt} />
          </dd>
        </div>
        <div>
          <dt>Asked for by</dt>
          <dd>
            {trigger
              ? [TRIGGERS[trigger.kind], trigger.number && `#${trigger.number}`, trigger.by && `by ${trigger.by}`]
                  .filter(Boolean)
                  .join(' ')
              : 'a call of the API'}
          </dd>
        </div>
        <div>
          <dt>Deployment</dt>
          <dd>
            <code>{record.deploymentId}</code>
          </dd>
        </div>
        {record.variables && (
          <div>
            <dt>Variables</dt>
            <dd>version {record.variables.version}</dd>
          </div>
        )}
        <CostFacts record={record} />
        {record.correlationId && (
          <div>
            <dt>In the platform's log</dt>
            <dd>
              <code>{record.correlationId}</code>
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}

const TRIGGERS = { push: 'a push', pullRequest: 'a pull request', deployHook: 'a deploy hook' } as const;

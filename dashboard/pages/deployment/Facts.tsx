import type { DeploymentView } from '../../../contract/api.ts';
import { paths } from '../../app/paths.ts';
import { isUpload } from '../../ui/isUpload.ts';
import { SourceFact } from '../../ui/source.tsx';
import { Time } from '../../ui/Time.tsx';
import { CostFacts } from './CostFacts.tsx';
import { describeAsker } from './describeAsker.ts';

/** Where it came from, and under which names it is found elsewhere. */
export function Facts({ record }: { readonly record: DeploymentView }) {
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">Origin</h2>
      <dl class="facts">
        <SourceFact gitUrl={record.gitUrl} />
        {record.commit && !isUpload(record.gitUrl) && (
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
          <dd>{describeAsker(record)}</dd>
        </div>
        {record.redeployOf && (
          <div>
            <dt>Redeploy of</dt>
            <dd>
              <a href={paths.deployment(record.redeployOf)}>
                <code>{record.redeployOf}</code>
              </a>
            </dd>
          </div>
        )}
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

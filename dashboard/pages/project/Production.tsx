import type { DeploymentView } from '../../../contract/api.ts';
import type { ProjectView } from '../../../contract/project.ts';
import { paths } from '../../app/paths.ts';
import { ExternalLink } from '../../ui/ExternalLink.tsx';
import { RedeployNote } from '../../ui/RedeployNote.tsx';
import { CommitOrUpload, nameOfDeployment, SourceFact } from '../../ui/source.tsx';
import { Time } from '../../ui/Time.tsx';

interface ProductionProps {
  readonly project: ProjectView;
  readonly released: DeploymentView | null;
}

/** What production serves, since when, and where. */
export function Production({ project: { release, pinned, settings }, released }: ProductionProps) {
  const site = released?.builds.frontend?.artifact;
  const gitUrl = settings.gitUrl ?? released?.gitUrl;
  return (
    <section class="card" aria-labelledby="production">
      <div class="section-head">
        <h2 id="production">Production</h2>
        {pinned && <span class="badge">Pinned by {pinned.by}</span>}
      </div>
      <dl class="facts">
        {site?.kind === 'static' && (
          <div>
            <dt>Address</dt>
            <dd>
              <ExternalLink href={site.url} />
            </dd>
          </div>
        )}
        <div>
          <dt>Serves</dt>
          <dd>
            {release ? (
              <>
                <a href={paths.deployment(release.deploymentId)}>
                  {released ? nameOfDeployment(released) : release.deploymentId}{' '}
                  {released && <CommitOrUpload of={released} />}
                </a>
                {released && <RedeployNote record={released} />}
              </>
            ) : (
              'nothing yet: the first successful deployment of the production branch is released by itself'
            )}
          </dd>
        </div>
        {release && (
          <div>
            <dt>Since</dt>
            <dd>
              <Time at={release.at} />
              {release.kind !== 'automatic' && ` (${release.kind} by ${release.by})`}
            </dd>
          </div>
        )}
        {released?.service && (
          <div>
            <dt>Backend</dt>
            <dd>{released.service.state}</dd>
          </div>
        )}
        {gitUrl && <SourceFact gitUrl={gitUrl} />}
      </dl>
    </section>
  );
}

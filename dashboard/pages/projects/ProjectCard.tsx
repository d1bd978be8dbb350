import type { ProjectView } from '../../../contract/project.ts';
import { paths } from '../../app/paths.ts';
import { ExternalLink } from '../../ui/ExternalLink.tsx';
import { Status } from '../../ui/Status.tsx';
import { CommitOrUpload, nameOfDeployment, shortSource } from '../../ui/source.tsx';
import { Time } from '../../ui/Time.tsx';
import type { Overview } from './useOverview.ts';

interface ProjectCardProps {
  readonly project: ProjectView;
  readonly overview: Overview;
}

/** A project on the list. */
export function ProjectCard({
  project: { projectId, release, pinned, deleting, settings },
  overview,
}: ProjectCardProps) {
  const { newest, released } = overview;
  const site = released?.builds.frontend?.artifact;
  const gitUrl = settings.gitUrl ?? newest?.gitUrl;
  return (
    <article class="card project-card">
      <div class="section-head">
        <h2>
          <a href={paths.project(projectId)}>{projectId}</a>
        </h2>
        {newest && (
          <a class="plain-link" href={paths.deployment(newest.deploymentId)}>
            <span class="visually-hidden">Newest deployment of {projectId}: </span>
            <Status of={newest.status} />
          </a>
        )}
      </div>
      {gitUrl && <p class="soft small ellipsis">{shortSource(gitUrl)}</p>}
      <div class="project-live">
        {release ? (
          <>
            <p class="small">
              <span class="badge badge-live">Live</span> {released && nameOfDeployment(released)}{' '}
              {released && <CommitOrUpload of={released} />}{' '}
              <span class="soft">
                <Time at={release.at} />
              </span>
              {pinned && <span class="badge">Pinned</span>}
            </p>
            {site?.kind === 'static' && (
              <p class="small ellipsis">
                <ExternalLink href={site.url}>{site.url.replace(/^https?:\/\//, '').replace(/\/$/, '')}</ExternalLink>
              </p>
            )}
          </>
        ) : (
          <p class="soft small">Production serves nothing yet.</p>
        )}
      </div>
      {deleting && <p class="small">Is being deleted.</p>}
    </article>
  );
}

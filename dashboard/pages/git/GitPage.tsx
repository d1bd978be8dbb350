import { useRoute } from 'preact-iso/router';
import { getGitSetup } from '../../api/git.ts';
import { getProject } from '../../api/projects.ts';
import { ProjectFrame } from '../../app/ProjectFrame.tsx';
import { useSession } from '../../session/SessionContext.ts';
import { Loaded } from '../../ui/Loaded.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Time } from '../../ui/Time.tsx';
import { useLoadable } from '../../ui/useLoadable.ts';
import { Approvals } from './Approvals.tsx';
import { ConnectionForm } from './ConnectionForm.tsx';
import { DeployHooks } from './DeployHooks.tsx';
import { HostSetup } from './HostSetup.tsx';

/** How the project is connected with the host of its repository, and what else starts deployments. */
export function GitPage() {
  const { projectId = '' } = useRoute().params;
  const { may } = useSession();
  const project = useLoadable(`project/${projectId}`, (signal) => getProject(projectId, signal));
  const setup = useLoadable(may('deploy') ? `git/${projectId}` : null, (signal) => getGitSetup(projectId, signal));
  if (!may('deploy'))
    return (
      <ProjectFrame projectId={projectId} tab="git">
        <Notice kind="info" title="Your token only reads">
          <p>Hooks and approvals start deployments, which needs the scope deploy.</p>
        </Notice>
      </ProjectFrame>
    );
  return (
    <ProjectFrame projectId={projectId} tab="git">
      <Loaded of={project} what="the project">
        {({ settings, gitFaults = [] }) => (
          <div class="stack">
            {gitFaults.length > 0 && (
              <Notice kind="bad" title="Something is wrong with the connection">
                {gitFaults.map(({ code, message, at }) => (
                  <p key={code}>
                    {message}{' '}
                    <span class="soft small">
                      <Time at={at} />
                    </span>
                  </p>
                ))}
              </Notice>
            )}
            <ConnectionForm
              key={JSON.stringify(settings.connection ?? null)}
              projectId={projectId}
              connection={settings.connection}
              gitUrl={settings.gitUrl}
              onSaved={(saved) => {
                project.replace(saved);
                setup.reload();
              }}
            />
            {settings.connection && (
              <Loaded of={setup} what="the setup">
                {(value) => (
                  <HostSetup
                    projectId={projectId}
                    connection={settings.connection!}
                    setup={value}
                    onChange={setup.reload}
                  />
                )}
              </Loaded>
            )}
            {settings.connection && settings.connection.host !== 'git' && <Approvals projectId={projectId} />}
            <DeployHooks projectId={projectId} />
          </div>
        )}
      </Loaded>
    </ProjectFrame>
  );
}

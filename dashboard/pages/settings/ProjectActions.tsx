import { useState } from 'preact/hooks';
import type { ProjectView } from '../../../contract/project.ts';
import { deleteProject, dropCaches, restoreProject, setPreviewPassword } from '../../api/settings.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { FormFailure } from '../../ui/FormFailure.tsx';
import { formatBytes } from '../../ui/formats.ts';
import { Notice } from '../../ui/Notice.tsx';
import { Section } from '../../ui/Section.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Time } from '../../ui/Time.tsx';
import { notify } from '../../ui/Toasts.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useSubmit } from '../../ui/useSubmit.ts';

interface ProjectActionsProps {
  readonly project: ProjectView;
  readonly onChange: (project: ProjectView) => void;
}

/** What is no setting: the password of previews, caches, the end of the project. */
export function ProjectActions({ project, onChange }: ProjectActionsProps) {
  const { may } = useSession();
  const { projectId, deleting, settings } = project;
  const drop = useAction(async () => {
    const { dropped } = await dropCaches(projectId);
    const bytes = dropped.reduce((sum, lane) => sum + lane.bytes, 0);
    notify('ok', bytes === 0 ? 'There was nothing in the caches.' : `${formatBytes(bytes)} of caches were dropped.`);
  });
  const remove = useAction(async () => {
    const yes = await askConfirmation({
      ...{ title: `Delete ${projectId}?`, action: 'Delete the project', danger: true, typed: projectId },
      text: 'Its sites, backends, variables, domains, logs and its name go after a delay. Until then it can be taken back.',
    });
    if (!yes) return false;
    onChange(await deleteProject(projectId));
  }, 'The project will be deleted.');
  const restore = useAction(async () => onChange(await restoreProject(projectId)), 'The project stays.');

  return (
    <>
      {settings.previews?.protection === 'password' && may('admin') && <PreviewPassword projectId={projectId} />}
      {may('deploy') && (
        <Section title="Caches" note="What builds keep for the next one. Without them it takes longer, once.">
          <Button busy={drop.busy} onClick={() => drop.run()}>
            Drop the caches
          </Button>
        </Section>
      )}
      {deleting && (
        <Notice kind="bad" title="This project is being deleted">
          <p>
            Asked for by {deleting.by}, <Time at={deleting.at} />.
          </p>
          {deleting.restorable && may('admin') && (
            <Button busy={restore.busy} onClick={() => restore.run()}>
              Take the deletion back
            </Button>
          )}
        </Notice>
      )}
      {!deleting && may('admin') && (
        <Section title="Delete the project" note="Everything that it has anywhere.">
          <Button kind="danger" busy={remove.busy} onClick={() => remove.run()}>
            Delete {projectId}
          </Button>
        </Section>
      )}
    </>
  );
}

function PreviewPassword({ projectId }: { readonly projectId: string }) {
  const [password, setPassword] = useState('');
  const { busy, submit, faultOf, error } = useSubmit(async () => {
    await setPreviewPassword(projectId, password);
    setPassword('');
  }, 'Previews have the new password.');
  return (
    <Section title="Password of previews" note="Those who have the one before it are asked again.">
      <form class="form" onSubmit={submit} noValidate>
        <TextField
          {...{ label: 'New password', type: 'password', value: password, onChange: setPassword }}
          error={faultOf('password')}
        />
        <FormFailure error={error} />
        <div class="actions">
          <Button type="submit" busy={busy} disabled={password === ''}>
            Set the password
          </Button>
        </div>
      </form>
    </Section>
  );
}

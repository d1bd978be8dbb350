import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso/router';
import type { ProjectView } from '../../../contract/project.ts';
import { getProject } from '../../api/projects.ts';
import { changeSettings } from '../../api/settings.ts';
import { ProjectFrame } from '../../app/ProjectFrame.tsx';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { FormFailure } from '../../ui/FormFailure.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Section } from '../../ui/Section.tsx';
import { SelectField } from '../../ui/SelectField.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useSubmit } from '../../ui/useSubmit.ts';
import { changeOf, formOf, type SettingsForm } from './formOf.ts';
import { ProjectActions } from './ProjectActions.tsx';

const PARTS = { detect: 'Found out from the repository', given: 'As entered here', off: 'Not built' };
const PROTECTIONS = {
  none: 'Everybody who has the address',
  link: 'A link with a token',
  password: 'A password',
};

/** Settings of a project. They win over `veren.json` and over what is found in the repository. */
export function SettingsPage() {
  const { projectId = '' } = useRoute().params;
  const project = useLoadable(`project/${projectId}`, (signal) => getProject(projectId, signal));
  return (
    <ProjectFrame projectId={projectId} tab="settings">
      <Loaded of={project} what="the settings">
        {(value) => (
          <div class="stack">
            <SettingsEditor key={value.updatedAt} project={value} onSaved={project.replace} />
            <ProjectActions project={value} onChange={project.replace} />
          </div>
        )}
      </Loaded>
    </ProjectFrame>
  );
}

interface SettingsEditorProps {
  readonly project: ProjectView;
  readonly onSaved: (project: ProjectView) => void;
}

function SettingsEditor({ project, onSaved }: SettingsEditorProps) {
  const { may } = useSession();
  const [before] = useState(() => formOf(project.settings));
  const [form, setForm] = useState(before);
  const set =
    <Name extends keyof SettingsForm>(name: Name) =>
    (value: SettingsForm[Name]) =>
      setForm((now) => ({ ...now, [name]: value }));
  const change = changeOf(before, form);
  const isChanged = Object.keys(change).length > 0;
  const { busy, submit, faultOf, error } = useSubmit(async () => {
    onSaved(await changeSettings(project.projectId, change));
  }, 'The settings are stored. The next deployment has them.');

  return (
    <form class="stack" onSubmit={submit} noValidate>
      <Section title="Repository">
        <div class="form">
          <TextField
            {...{ label: 'Git address', value: form.gitUrl, onChange: set('gitUrl'), inputMode: 'url' }}
            error={faultOf('gitUrl')}
          />
          <div class="form-row">
            <TextField
              {...{
                label: 'Production branch',
                hint: "Empty: the repository's default.",
                value: form.productionBranch,
              }}
              onChange={set('productionBranch')}
              error={faultOf('productionBranch')}
            />
            <TextField
              {...{ label: 'Folder', hint: 'Empty: the whole repository.', value: form.rootDirectory }}
              onChange={set('rootDirectory')}
              error={faultOf('rootDirectory')}
            />
          </div>
        </div>
      </Section>
      <Section title="Site">
        <div class="form">
          <SelectField label="How it is built" options={PARTS} value={form.frontend} onChange={set('frontend')} />
          {form.frontend === 'given' && (
            <>
              <div class="form-row">
                <TextField
                  {...{ label: 'Folder of the site', value: form.frontendPath, onChange: set('frontendPath') }}
                  error={faultOf('frontend.path')}
                />
                <TextField
                  {...{ label: 'Output folder', value: form.outputDirectory, onChange: set('outputDirectory') }}
                  error={faultOf('frontend.outputDirectory')}
                />
              </div>
              <div class="form-row">
                <TextField
                  {...{ label: 'Install command', value: form.installCommand, onChange: set('installCommand') }}
                  error={faultOf('frontend.installCommand')}
                />
                <TextField
                  {...{ label: 'Build command', value: form.buildCommand, onChange: set('buildCommand') }}
                  error={faultOf('frontend.buildCommand')}
                />
              </div>
              <p class="hint">What is empty is found out from the repository.</p>
            </>
          )}
        </div>
      </Section>
      <Section title="Backend">
        <div class="form">
          <SelectField label="How it is made" options={PARTS} value={form.backend} onChange={set('backend')} />
          {form.backend === 'given' && (
            <div class="form-row">
              <TextField
                {...{ label: 'Folder of the backend', value: form.backendPath, onChange: set('backendPath') }}
                error={faultOf('backend.path')}
              />
              <TextField
                {...{ label: 'Start command', value: form.startCommand, onChange: set('startCommand') }}
                error={faultOf('backend.startCommand')}
              />
            </div>
          )}
        </div>
      </Section>
      <Section title="Previews and releases">
        <div class="form">
          <div class="form-row">
            <SelectField
              {...{ label: 'Previews are opened by', options: PROTECTIONS, value: form.protection }}
              onChange={set('protection')}
            />
            <TextField
              {...{ label: 'Days that previews are kept', placeholder: '30', inputMode: 'numeric' }}
              {...{ value: form.previewDays, onChange: set('previewDays') }}
              error={faultOf('previews.keepDays')}
            />
            <TextField
              {...{ label: 'Releases that are kept', placeholder: '10', inputMode: 'numeric' }}
              {...{ value: form.keep, onChange: set('keep') }}
              error={faultOf('releases.keep')}
            />
            <TextField
              {...{ label: 'US dollars that builds may cost a month', placeholder: 'no limit', inputMode: 'numeric' }}
              {...{ value: form.budget, onChange: set('budget') }}
              error={faultOf('budget.monthlyUsd')}
            />
          </div>
          <label class="check">
            <input
              type="checkbox"
              checked={form.maintenance}
              onChange={(e) => set('maintenance')(e.currentTarget.checked)}
            />
            Maintenance: visitors of production see a page that says so, with status 503
          </label>
        </div>
      </Section>
      <FormFailure error={error} />
      {may('admin') ? (
        <div class="actions">
          <Button kind="primary" type="submit" busy={busy} disabled={!isChanged}>
            Store the settings
          </Button>
          <Button disabled={!isChanged} onClick={() => setForm(before)}>
            Undo
          </Button>
        </div>
      ) : (
        <p class="soft">Changing settings needs the scope admin.</p>
      )}
    </form>
  );
}

import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import type { ProjectView } from '../../../contract/project.ts';
import { ApiError, messageOf } from '../../api/callApi.ts';
import { createDeployment, getDeployment, listDeployments } from '../../api/deployments.ts';
import { example } from '../../api/places.ts';
import { getProject } from '../../api/projects.ts';
import { paths } from '../../app/paths.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useTitle } from '../../ui/useTitle.ts';
import { type DeployForm, describeFolders, EMPTY_FORM, formOfProject, requestOf } from './deployForm.ts';
import { suggestName } from './suggestName.ts';

/** A form to deploy a repository. `?project=` deploys that project's own, as it was deployed before. */
export function DeployPage() {
  useTitle('Deploy');
  const { may } = useSession();
  const known = useLocation().query.project;
  const project = useLoadable(known === undefined ? null : `deploy/${known}`, (signal) => loadProject(known!, signal));
  return (
    <>
      <div class="page-head">
        <h1>{known ? `Deploy ${known}` : 'Deploy a repository'}</h1>
      </div>
      {!may('deploy') && (
        <Notice kind="warn" title="Your token may not deploy">
          <p>It needs the scope "deploy"; an admin can make such a token.</p>
        </Notice>
      )}
      {known === undefined ? (
        <RequestForm first={EMPTY_FORM} />
      ) : (
        <Loaded of={project} what="the project">
          {({ view, before }) => <RequestForm key={known} first={formOfProject(view, before)} project={view} />}
        </Loaded>
      )}
    </>
  );
}

/** A project, and its deployment that another one is to be like: what production serves, else the newest for it. */
async function loadProject(projectId: string, signal: AbortSignal) {
  const view = await getProject(projectId, signal);
  const released = view.release && (await getDeployment(view.release.deploymentId, signal).catch(() => null));
  if (released) return { view, before: released };
  const { items } = await listDeployments({ projectId }, signal);
  const own = items.filter(({ plan }) => plan?.lane !== 'untrusted');
  return { view, before: own.find(({ environment }) => environment === 'production') ?? own[0] ?? null };
}

interface RequestFormProps {
  readonly first: DeployForm;
  /** Absent for a new one. */
  readonly project?: ProjectView;
}

function RequestForm({ first, project }: RequestFormProps) {
  const { may } = useSession();
  const { route } = useLocation();
  const settings = project?.settings;
  const fixed = describeFolders(settings);
  const [form, setForm] = useState<DeployForm>(first);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  // Sent again after a lost connection it is the same wish; anything else in the form is another.
  const key = useRef(crypto.randomUUID());
  const change = (changes: Partial<DeployForm>) => {
    setForm({ ...form, ...changes });
    key.current = crypto.randomUUID();
  };

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const { deploymentId } = await createDeployment(requestOf(form, settings), key.current);
      route(paths.deployment(deploymentId));
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const faults = error instanceof ApiError ? error.faults : [];
  const faultOf = (...fields: string[]) =>
    faults.find(({ field }) => fields.some((name) => field === name || field.startsWith(`${name}.`)))?.message;
  const shown = ['gitUrl', 'projectId', 'ref', 'frontend', 'backend', 'gitToken', 'environment'];
  const others = faults.filter(({ field }) => !shown.includes(field.split('.')[0] ?? ''));

  return (
    <>
      {example && !project && (
        <div class="card suggestion">
          <div>
            <h2>Nothing at hand?</h2>
            <p class="soft">
              The example <code>{example.path}</code> came with Veren.
            </p>
          </div>
          <Button
            onClick={() =>
              example && change({ gitUrl: example.gitUrl, frontendPath: example.path, projectId: example.projectId })
            }
          >
            Fill in the example
          </Button>
        </div>
      )}
      <form class="card form" onSubmit={submit} noValidate>
        {error !== undefined && (
          <Notice kind="bad" title="It was not deployed">
            <p>{messageOf(error)}</p>
            {others.map(({ field, message }) => (
              <p key={field}>
                {field || 'The request'}: {message}
              </p>
            ))}
          </Notice>
        )}
        <Field
          label="Git URL"
          hint="As in git clone: https://github.com/you/site.git. On a laptop file:///home/you/site will do, too."
          error={faultOf('gitUrl')}
        >
          {(props) => (
            <input
              {...props}
              type="url"
              autocomplete="url"
              spellcheck={false}
              value={form.gitUrl}
              onInput={(e) => change({ gitUrl: e.currentTarget.value })}
            />
          )}
        </Field>
        {!project && (
          <TextField
            label="Project"
            hint="Lower-case letters, digits and -. A new name makes a project."
            error={faultOf('projectId')}
            value={form.projectId}
            placeholder={suggestName(form.gitUrl)}
            onChange={(projectId) => change({ projectId })}
          />
        )}
        <div class="form-row">
          <TextField
            label="Branch, tag or commit"
            hint="Empty: the production branch."
            error={faultOf('ref')}
            value={form.ref}
            onChange={(ref) => change({ ref })}
          />
          <Field label="Environment" error={faultOf('environment')}>
            {(props) => (
              <select
                {...props}
                value={form.environment}
                onChange={(e) => change({ environment: e.currentTarget.value as DeployForm['environment'] })}
              >
                <option value="">By its branch</option>
                <option value="production">Production</option>
                <option value="preview">Preview</option>
              </select>
            )}
          </Field>
        </div>
        <details open={form.frontendPath + form.backendPath !== '' || fixed !== ''}>
          <summary>More</summary>
          <div class="form">
            <p class="hint">{`${fixed} Where one folder is named, the other part is left out. Empty: they are found.`}</p>
            <div class="form-row">
              <TextField
                label="Folder of the frontend"
                error={faultOf('frontend')}
                value={form.frontendPath}
                onChange={(frontendPath) => change({ frontendPath })}
              />
              <TextField
                label="Folder of the backend"
                error={faultOf('backend')}
                value={form.backendPath}
                onChange={(backendPath) => change({ backendPath })}
              />
            </div>
            <TextField
              label="Token of the git host"
              hint="For a private repository: used for fetching only, never shown again."
              type="password"
              error={faultOf('gitToken')}
              value={form.gitToken}
              onChange={(gitToken) => change({ gitToken })}
            />
            <label class="check">
              <input
                type="checkbox"
                checked={form.force}
                onChange={(e) => change({ force: e.currentTarget.checked })}
              />
              Build it even where nothing has changed
            </label>
          </div>
        </details>
        <div class="actions">
          <Button kind="primary" type="submit" busy={busy} disabled={!may('deploy')}>
            Deploy
          </Button>
        </div>
      </form>
    </>
  );
}

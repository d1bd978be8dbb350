import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import type { CreateDeployment } from '../../../contract/api.ts';
import { ApiError, messageOf } from '../../api/callApi.ts';
import { createDeployment } from '../../api/deployments.ts';
import { example } from '../../api/places.ts';
import { paths } from '../../app/paths.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { useTitle } from '../../ui/useTitle.ts';
import { suggestName } from './suggestName.ts';

interface Form {
  readonly gitUrl: string;
  /** Empty: the suggested one. */
  readonly projectId: string;
  readonly ref: string;
  readonly path: string;
  readonly environment: '' | 'production' | 'preview';
  readonly gitToken: string;
  readonly force: boolean;
}

const EMPTY: Form = { gitUrl: '', projectId: '', ref: '', path: '', environment: '', gitToken: '', force: false };

/** A form to deploy a repository. `?project=` deploys that project's own. */
export function DeployPage() {
  useTitle('Deploy');
  const { may } = useSession();
  const { route, query } = useLocation();
  const known = query.project;
  const [form, setForm] = useState<Form>({ ...EMPTY, projectId: known ?? '' });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  // Sent again after a lost connection it is the same wish; anything else in the form is another.
  const key = useRef(crypto.randomUUID());
  const change = (changes: Partial<Form>) => {
    setForm({ ...form, ...changes });
    key.current = crypto.randomUUID();
  };

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const { deploymentId } = await createDeployment(requestOf(form), key.current);
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
      <div class="page-head">
        <h1>{known ? `Deploy ${known}` : 'Deploy a repository'}</h1>
      </div>
      {!may('deploy') && (
        <Notice kind="warn" title="Your token may not deploy">
          <p>It needs the scope "deploy"; an admin can make such a token.</p>
        </Notice>
      )}
      {example && !known && (
        <div class="card suggestion">
          <div>
            <h2>Nothing at hand?</h2>
            <p class="soft">
              The example <code>{example.path}</code> came with Veren.
            </p>
          </div>
          <Button
            onClick={() =>
              example && change({ gitUrl: example.gitUrl, path: example.path, projectId: example.projectId })
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
        {!known && (
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
        )}
        {!known && (
          <Field
            label="Project"
            hint="Lower-case letters, digits and -. A new name makes a project."
            error={faultOf('projectId')}
          >
            {(props) => (
              <input
                {...props}
                autocomplete="off"
                spellcheck={false}
                value={form.projectId}
                placeholder={suggestName(form.gitUrl)}
                onInput={(e) => change({ projectId: e.currentTarget.value })}
              />
            )}
          </Field>
        )}
        <div class="form-row">
          <Field label="Branch, tag or commit" hint="Empty: the production branch." error={faultOf('ref')}>
            {(props) => (
              <input
                {...props}
                autocomplete="off"
                spellcheck={false}
                value={form.ref}
                onInput={(e) => change({ ref: e.currentTarget.value })}
              />
            )}
          </Field>
          <Field label="Environment" error={faultOf('environment')}>
            {(props) => (
              <select
                {...props}
                value={form.environment}
                onChange={(e) => change({ environment: e.currentTarget.value as Form['environment'] })}
              >
                <option value="">By its branch</option>
                <option value="production">Production</option>
                <option value="preview">Preview</option>
              </select>
            )}
          </Field>
        </div>
        <details open={form.path !== ''}>
          <summary>More</summary>
          <div class="form">
            <Field
              label="Folder of the frontend"
              hint="Where the repository has several. A backend is then left out. Empty: it is found."
              error={faultOf('frontend')}
            >
              {(props) => (
                <input
                  {...props}
                  autocomplete="off"
                  spellcheck={false}
                  value={form.path}
                  onInput={(e) => change({ path: e.currentTarget.value })}
                />
              )}
            </Field>
            <Field
              label="Token of the git host"
              hint="For a private repository: used for fetching only, never shown again."
              error={faultOf('gitToken')}
            >
              {(props) => (
                <input
                  {...props}
                  type="password"
                  autocomplete="off"
                  value={form.gitToken}
                  onInput={(e) => change({ gitToken: e.currentTarget.value })}
                />
              )}
            </Field>
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

/** Only what was filled in: everything else is the platform's to decide. */
function requestOf({ gitUrl, projectId, ref, path, environment, gitToken, force }: Form): CreateDeployment {
  const url = gitUrl.trim();
  const folder = path.trim();
  return {
    projectId: projectId.trim() || suggestName(url),
    ...(url && { gitUrl: url }),
    ...(ref.trim() && { ref: ref.trim() }),
    ...(folder && { frontend: { path: folder }, backend: false as const }),
    ...(environment && { environment }),
    ...(gitToken && { gitToken }),
    ...(force && { force }),
  };
}

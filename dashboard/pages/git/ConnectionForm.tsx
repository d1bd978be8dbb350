import { useState } from 'preact/hooks';
import type { ConnectionHost, GitConnection } from '../../../contract/gitHosts.ts';
import type { ProjectView } from '../../../contract/project.ts';
import { changeSettings } from '../../api/settings.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { FormFailure } from '../../ui/FormFailure.tsx';
import { Section } from '../../ui/Section.tsx';
import { SelectField } from '../../ui/SelectField.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useSubmit } from '../../ui/useSubmit.ts';
import { guessConnection } from './guessConnection.ts';

const HOSTS: Readonly<Record<ConnectionHost, string>> = {
  github: 'GitHub',
  gitlab: 'GitLab',
  gitea: 'Gitea or Forgejo',
  bitbucket: 'Bitbucket',
  git: 'Another one, or a folder (watched by a laptop)',
};
const PREVIEWS = { branches: 'Every branch', pullRequests: 'Pull requests only', none: 'Nothing' };
const FORKS = { approve: 'After a member approves each commit', build: 'Always', never: 'Never' };

interface ConnectionFormProps {
  readonly projectId: string;
  readonly connection: GitConnection | undefined;
  /** Of the project: the repository has to be the same. */
  readonly gitUrl: string | undefined;
  readonly onSaved: (project: ProjectView) => void;
}

/** Which repository tells of pushes, and what is deployed then. */
export function ConnectionForm({ projectId, connection, gitUrl, onSaved }: ConnectionFormProps) {
  const { may } = useSession();
  const guess = guessConnection(gitUrl);
  const [host, setHost] = useState<ConnectionHost>(connection?.host ?? guess.host);
  const [repository, setRepository] = useState(connection?.repository ?? guess.repository);
  const [apiUrl, setApiUrl] = useState(connection?.apiUrl ?? '');
  const [previews, setPreviews] = useState<keyof typeof PREVIEWS>(connection?.previews ?? 'branches');
  const [forks, setForks] = useState<keyof typeof FORKS>(connection?.forks ?? 'approve');
  const [watch, setWatch] = useState(connection?.watch ?? false);
  const [app, setApp] = useState(connection?.app ?? false);
  const [tags, setTags] = useState(connection?.productionTags ?? '');
  const { busy, submit, faultOf, error } = useSubmit(async () => {
    const wanted = {
      ...{ host, repository: repository.trim(), previews, forks },
      apiUrl: apiUrl.trim() || null,
      productionTags: tags.trim() || null,
      // No webhook comes from a repository without a known host, and an App is GitHub's.
      watch: host === 'git' || watch || null,
      app: (host === 'github' && app) || null,
    };
    onSaved(await changeSettings(projectId, { connection: wanted }));
  }, 'The connection is stored.');
  const disconnect = useAction(async () => {
    const yes = await askConfirmation({
      ...{ title: 'Disconnect the repository?', action: 'Disconnect', danger: true },
      text: 'Pushes and pull requests deploy nothing from then on. What is deployed stays.',
    });
    if (!yes) return false;
    onSaved(await changeSettings(projectId, { connection: null }));
  }, 'The repository is disconnected.');
  const fault = (name: string) => faultOf(`connection.${name}`);

  return (
    <Section
      title={connection ? `Connected with ${connection.repository}` : 'Connect a repository'}
      note="A push deploys, and a pull request gets a preview."
    >
      <form class="form card" onSubmit={submit} noValidate>
        <div class="form-row">
          <SelectField label="Host" options={HOSTS} value={host} onChange={setHost} />
          <TextField
            label="Repository"
            hint="Its full name, e.g. ada/shop."
            value={repository}
            onChange={setRepository}
            error={fault('repository')}
          />
        </div>
        <div class="form-row">
          <SelectField label="Previews of" options={PREVIEWS} value={previews} onChange={setPreviews} />
          <SelectField label="Pull requests of forks are built" options={FORKS} value={forks} onChange={setForks} />
        </div>
        <div class="form-row">
          <TextField
            label="Tags that go to production"
            hint="A pattern such as v*. Empty: none."
            value={tags}
            onChange={setTags}
            error={fault('productionTags')}
          />
          <TextField
            label="API of a self-hosted host"
            hint="Empty for the public hosts."
            value={apiUrl}
            onChange={setApiUrl}
            error={fault('apiUrl')}
          />
        </div>
        {host === 'github' && (
          <label class="check">
            <input type="checkbox" checked={app} onChange={(e) => setApp(e.currentTarget.checked)} />
            By the owner's GitHub App: no webhook and no token to make
          </label>
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={host === 'git' || watch}
            disabled={host === 'git'}
            onChange={(e) => setWatch(e.currentTarget.checked)}
          />
          Watch it: a laptop that no webhook reaches looks at it every few seconds
        </label>
        <FormFailure error={error} />
        {may('admin') && (
          <div class="actions">
            <Button kind="primary" type="submit" busy={busy} disabled={repository.trim() === ''}>
              {connection ? 'Store' : 'Connect'}
            </Button>
            {connection && (
              <Button busy={disconnect.busy} onClick={() => disconnect.run()}>
                Disconnect
              </Button>
            )}
          </div>
        )}
      </form>
    </Section>
  );
}

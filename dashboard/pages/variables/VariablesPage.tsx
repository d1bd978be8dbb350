import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso/router';
import type { VariableList, VariableView } from '../../../contract/project-variables.ts';
import { listVariables, releaseVariables, removeVariable } from '../../api/variables.ts';
import { ProjectFrame } from '../../app/ProjectFrame.tsx';
import { paths } from '../../app/paths.ts';
import { useLiveReload } from '../../live/useLive.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';
import { ENVIRONMENT_TITLES, ENVIRONMENTS, SEEN_BY, SEEN_BY_TITLES } from './titles.ts';
import { VariableForm } from './VariableForm.tsx';

const POLL_MS = 10_000;

/** Variables of a project. Values of secrets are never there. */
export function VariablesPage() {
  const { projectId = '' } = useRoute().params;
  const { may } = useSession();
  const variables = useLoadable(`variables/${projectId}`, (signal) => listVariables(projectId, signal));
  useLiveReload([`project/${projectId}`], variables.reload, POLL_MS);
  const [form, setForm] = useState<'new' | 'many' | VariableView | null>(null);
  const remove = useAction(async ({ name, environments }: VariableView) => {
    const yes = await askConfirmation({
      ...{ title: `Remove ${name}?`, action: 'Remove', danger: true },
      text: 'The next deployment is without it. What runs keeps it until then.',
    });
    if (!yes) return false;
    const only = environments.length === 1 ? environments[0] : undefined;
    await removeVariable(projectId, name, only);
    variables.reload();
  }, 'The variable was removed.');
  const isAdmin = may('admin');
  const actions = isAdmin && (
    <>
      <Button onClick={() => setForm('many')}>Add from .env</Button>
      <Button kind="primary" onClick={() => setForm('new')}>
        Add a variable
      </Button>
    </>
  );

  return (
    <ProjectFrame projectId={projectId} tab="variables" actions={actions}>
      <Loaded of={variables} what="the variables">
        {(list) => (
          <div class="stack">
            <Outdated projectId={projectId} list={list} />
            {list.items.length === 0 ? (
              <Empty title="No variables yet">
                <p>What builds and running backends are given: addresses of databases, keys, switches.</p>
              </Empty>
            ) : (
              <Table
                caption="Variables"
                rows={list.items}
                keyOf={({ name, environments }) => `${name} ${environments.join()}`}
                columns={[
                  { title: 'Name', cell: (v) => <code>{v.name}</code> },
                  {
                    title: 'Value',
                    cell: (v) =>
                      v.secret ? <span class="badge">secret</span> : <code class="value">{v.value || '(empty)'}</code>,
                  },
                  { title: 'For', cell: (v) => listTitles(v.environments, ENVIRONMENTS, ENVIRONMENT_TITLES) },
                  { title: 'Seen by', cell: (v) => listTitles(v.seenBy, SEEN_BY, SEEN_BY_TITLES) },
                  {
                    title: 'Changed',
                    cell: (v) => (
                      <span>
                        <Time at={v.updatedAt} /> <span class="soft">by {v.by}</span>
                      </span>
                    ),
                  },
                  {
                    ...{ title: 'Actions', hideTitle: true, align: 'end' },
                    cell: (v) =>
                      isAdmin && (
                        <div class="actions">
                          <Button label={`Change ${v.name}`} onClick={() => setForm(v)}>
                            Change
                          </Button>
                          <Button kind="quiet" label={`Remove ${v.name}`} onClick={() => remove.run(v)}>
                            Remove
                          </Button>
                        </div>
                      ),
                  },
                ]}
              />
            )}
            {list.version > 0 && <p class="soft small">Version {list.version} of the variables.</p>}
          </div>
        )}
      </Loaded>
      {form && (
        <VariableForm
          projectId={projectId}
          of={form}
          onSaved={() => variables.reload()}
          onClose={() => setForm(null)}
        />
      )}
    </ProjectFrame>
  );
}

function listTitles<T extends string>(some: readonly T[], all: readonly T[], titles: Readonly<Record<T, string>>) {
  return some.length === all.length ? 'Everything' : some.map((one) => titles[one]).join(', ');
}

/** Production's backend runs with earlier values: a release gives it the current ones. */
function Outdated({ projectId, list }: { readonly projectId: string; readonly list: VariableList }) {
  const { may } = useSession();
  /** The version that was asked for. */
  const [begun, setBegun] = useState<number | null>(null);
  const release = useAction(async () => {
    await releaseVariables(projectId);
    setBegun(list.version);
  });
  if (!list.outdated) return null;
  if (begun === list.version)
    return (
      <Notice kind="info" title="The backend is being started with the current variables">
        <p>
          Production switches to it when it answers. <a href={paths.releases(projectId)}>Releases</a> show how it goes.
        </p>
      </Notice>
    );
  return (
    <Notice kind="warn" title="Production runs with earlier variables">
      <p>
        Its backend was started with version {list.outdated.version}; the current one is {list.version}. What was built
        into a site changes with its next deployment.
      </p>
      {may('deploy') && (
        <Button kind="primary" busy={release.busy} onClick={() => release.run()}>
          Release with the current variables
        </Button>
      )}
    </Notice>
  );
}

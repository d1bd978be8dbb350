import { useState } from 'preact/hooks';
import type { CreatedDeployHook, DeployHook } from '../../../contract/gitApi.ts';
import { createDeployHook, listDeployHooks, revokeDeployHook } from '../../api/git.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { FormFailure } from '../../ui/FormFailure.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Section } from '../../ui/Section.tsx';
import { ShownOnce } from '../../ui/ShownOnce.tsx';
import { Table } from '../../ui/Table.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useMadeOnce } from '../../ui/useMadeOnce.ts';
import { useSubmit } from '../../ui/useSubmit.ts';

/** Addresses that deploy a branch when something is posted to them. */
export function DeployHooks({ projectId }: { readonly projectId: string }) {
  const { may } = useSession();
  const hooks = useLoadable(`deploy-hooks/${projectId}`, (signal) => listDeployHooks(projectId, signal));
  const [made, setMade] = useMadeOnce<CreatedDeployHook>(hooks.value?.items);
  const revoke = useAction(async ({ id, name }: DeployHook) => {
    const yes = await askConfirmation({
      ...{ title: `Revoke ${name}?`, action: 'Revoke', danger: true },
      text: 'Its address deploys nothing from now on, and cannot be brought back.',
    });
    if (!yes) return false;
    await revokeDeployHook(projectId, id);
    hooks.reload();
  }, 'The deploy hook was revoked.');
  return (
    <Section title="Deploy hooks" note="For a CMS and the like. Whoever has the address can deploy.">
      {made !== null && (
        <ShownOnce
          what="The address"
          text={made.url}
          advice="Have a POST sent to it whenever something is to be deployed."
          onDone={() => setMade(null)}
        />
      )}
      {may('admin') && (
        <AddHook
          projectId={projectId}
          onMade={(hook) => {
            setMade(hook);
            hooks.reload();
          }}
        />
      )}
      <Loaded of={hooks} what="the deploy hooks">
        {({ items }) =>
          items.length === 0 ? (
            <p class="soft">No deploy hooks yet.</p>
          ) : (
            <Table
              caption="Deploy hooks"
              rows={items}
              keyOf={({ id }) => id}
              columns={[
                { title: 'Name', cell: ({ name }) => name },
                { title: 'Branch', cell: ({ branch }) => branch ?? 'production branch' },
                {
                  title: 'Made',
                  cell: ({ createdAt, createdBy }) => (
                    <span>
                      <Time at={createdAt} /> <span class="soft">by {createdBy}</span>
                    </span>
                  ),
                },
                {
                  ...{ title: 'Actions', hideTitle: true, align: 'end' },
                  cell: (hook) =>
                    may('admin') && (
                      <Button kind="quiet" label={`Revoke ${hook.name}`} onClick={() => revoke.run(hook)}>
                        Revoke
                      </Button>
                    ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  );
}

interface AddHookProps {
  readonly projectId: string;
  readonly onMade: (hook: CreatedDeployHook) => void;
}

function AddHook({ projectId, onMade }: AddHookProps) {
  const [name, setName] = useState('');
  const [branch, setBranch] = useState('');
  const { busy, submit, faultOf, error } = useSubmit(async () => {
    const only = branch.trim();
    const made = await createDeployHook(projectId, { name: name.trim(), ...(only !== '' && { branch: only }) });
    setName('');
    setBranch('');
    onMade(made);
  });
  return (
    <form class="form" onSubmit={submit} noValidate>
      <div class="form-row">
        <TextField label="Name of the hook" value={name} onChange={setName} error={faultOf('name')} />
        <TextField
          label="Branch"
          placeholder="production branch"
          value={branch}
          onChange={setBranch}
          error={faultOf('branch')}
        />
      </div>
      <FormFailure error={error} />
      <div class="actions">
        <Button type="submit" busy={busy} disabled={name.trim() === ''}>
          Make a deploy hook
        </Button>
      </div>
    </form>
  );
}

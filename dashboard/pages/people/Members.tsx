import { useState } from 'preact/hooks';
import type { Member, Role } from '../../../contract/people.ts';
import { putMember, removeMember } from '../../api/people.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { Field } from '../../ui/Field.tsx';
import { FormFailure } from '../../ui/FormFailure.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Section } from '../../ui/Section.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';
import type { Loadable } from '../../ui/useLoadable.ts';
import { useSubmit } from '../../ui/useSubmit.ts';

const ROLE_TITLES: Readonly<Record<Role, string>> = {
  viewer: 'Viewer: reads',
  developer: 'Developer: deploys and releases',
  admin: 'Admin: changes everything',
};
const ROLES = Object.keys(ROLE_TITLES) as Role[];

interface MembersProps {
  readonly members: Loadable<{ items: Member[] }>;
  readonly onChange: () => void;
}

/** People of the owner. Their tokens may do no more than their role. */
export function Members({ members, onChange }: MembersProps) {
  const { may } = useSession();
  const change = useAction(async (name: string, role: Role) => {
    await putMember(name, role);
    onChange();
  }, 'The role was changed.');
  const remove = useAction(async (name: string) => {
    const yes = await askConfirmation({
      ...{ title: `Remove ${name}?`, action: 'Remove', danger: true },
      text: 'All tokens of this member stop working at once.',
    });
    if (!yes) return false;
    await removeMember(name);
    onChange();
  }, 'The member was removed, with all tokens.');
  return (
    <Section title="Members" note="A token of a member may do no more than the member's role.">
      {may('admin') && <AddMember onAdded={onChange} />}
      <Loaded of={members} what="the members">
        {({ items }) =>
          items.length === 0 ? (
            <p class="soft">Nobody yet.</p>
          ) : (
            <Table
              caption="Members"
              rows={items}
              keyOf={({ name }) => name}
              columns={[
                { title: 'Name', cell: ({ name }) => name },
                {
                  title: 'Role',
                  cell: ({ name, role }) =>
                    may('admin') ? (
                      <select
                        aria-label={`Role of ${name}`}
                        value={role}
                        onChange={(e) => change.run(name, e.currentTarget.value as Role)}
                      >
                        {ROLES.map((one) => (
                          <option key={one} value={one}>
                            {ROLE_TITLES[one]}
                          </option>
                        ))}
                      </select>
                    ) : (
                      ROLE_TITLES[role]
                    ),
                },
                { title: 'Added', cell: ({ addedAt }) => <Time at={addedAt} /> },
                {
                  ...{ title: 'Actions', hideTitle: true, align: 'end' },
                  cell: ({ name }) =>
                    may('admin') && (
                      <Button kind="quiet" label={`Remove ${name}`} onClick={() => remove.run(name)}>
                        Remove
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

function AddMember({ onAdded }: { readonly onAdded: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('developer');
  const { busy, submit, faultOf, error } = useSubmit(async () => {
    await putMember(name.trim(), role);
    setName('');
    onAdded();
  }, 'The member was added.');
  return (
    <form class="form" onSubmit={submit} noValidate>
      <div class="form-row">
        <Field label="Name" error={faultOf('name')}>
          {(props) => (
            <input {...props} value={name} autocomplete="off" onInput={(e) => setName(e.currentTarget.value)} />
          )}
        </Field>
        <Field label="Role">
          {(props) => (
            <select {...props} value={role} onChange={(e) => setRole(e.currentTarget.value as Role)}>
              {ROLES.map((one) => (
                <option key={one} value={one}>
                  {ROLE_TITLES[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <FormFailure error={error} />
      <div class="actions">
        <Button type="submit" busy={busy} disabled={name.trim() === ''}>
          Add the member
        </Button>
      </div>
    </form>
  );
}

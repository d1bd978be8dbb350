import { useState } from 'preact/hooks';
import type { CreatedToken, Scope } from '../../../contract/people.ts';
import { createToken, listMembers } from '../../api/people.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field } from '../../ui/Field.tsx';
import { FormFailure } from '../../ui/FormFailure.tsx';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useSubmit } from '../../ui/useSubmit.ts';

const SCOPE_TITLES: Readonly<Record<Scope, string>> = {
  read: 'Read: look at everything but variables',
  deploy: 'Deploy: also deploy, release and cancel',
  admin: 'Admin: also settings, secrets, people',
};

interface TokenFormProps {
  readonly onMade: (token: CreatedToken) => void;
  readonly onClose: () => void;
}

export function TokenForm({ onMade, onClose }: TokenFormProps) {
  const members = useLoadable('members of tokens', listMembers);
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Scope>('deploy');
  const [projects, setProjects] = useState('');
  const [member, setMember] = useState('');
  const [days, setDays] = useState('90');
  const { busy, submit, faultOf, error } = useSubmit(async () => {
    const only = projects.split(/[\s,]+/).filter(Boolean);
    const made = await createToken({
      ...{ name: name.trim(), scope },
      ...(only.length > 0 && { projects: only }),
      ...(member !== '' && { member }),
      ...(days.trim() !== '' && { expiresInDays: Number(days) }),
    });
    onMade(made);
  });
  return (
    <Dialog title="Make a token" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Field label="Name" hint="Where it is used, e.g. ci of shop." error={faultOf('name')}>
          {(props) => (
            <input {...props} value={name} autocomplete="off" onInput={(e) => setName(e.currentTarget.value)} />
          )}
        </Field>
        <Field label="Scope">
          {(props) => (
            <select {...props} value={scope} onChange={(e) => setScope(e.currentTarget.value as Scope)}>
              {(Object.keys(SCOPE_TITLES) as Scope[]).map((one) => (
                <option key={one} value={one}>
                  {SCOPE_TITLES[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Only for projects" hint="Names with commas between them. Empty: all." error={faultOf('projects')}>
          {(props) => (
            <input
              {...props}
              value={projects}
              autocomplete="off"
              spellcheck={false}
              onInput={(e) => setProjects(e.currentTarget.value)}
            />
          )}
        </Field>
        <div class="form-row">
          <Field label="Member" hint="It goes with the member.">
            {(props) => (
              <select {...props} value={member} onChange={(e) => setMember(e.currentTarget.value)}>
                <option value="">Nobody's: a program's</option>
                {members.value?.items.map((one) => (
                  <option key={one.name} value={one.name}>
                    {one.name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Days until it expires" hint="Empty: it does not." error={faultOf('expiresInDays')}>
            {(props) => (
              <input {...props} inputMode="numeric" value={days} onInput={(e) => setDays(e.currentTarget.value)} />
            )}
          </Field>
        </div>
        <FormFailure error={error} />
        <div class="actions">
          <Button onClick={onClose}>Go back</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={name.trim() === ''}>
            Make
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

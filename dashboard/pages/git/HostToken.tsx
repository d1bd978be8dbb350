import { useState } from 'preact/hooks';
import { forgetGitToken, storeGitToken } from '../../api/git.ts';
import { Button } from '../../ui/Button.tsx';
import { FormFailure } from '../../ui/FormFailure.tsx';
import { Tag } from '../../ui/Status.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useSubmit } from '../../ui/useSubmit.ts';

interface HostTokenProps {
  readonly projectId: string;
  readonly stored: boolean;
  readonly onChange: () => void;
}

/** What private repositories are read with, and what reports are written with. */
export function HostToken({ projectId, stored, onChange }: HostTokenProps) {
  const [token, setToken] = useState('');
  const { busy, submit, faultOf, error } = useSubmit(async () => {
    await storeGitToken(projectId, token.trim());
    setToken('');
    onChange();
  }, 'The token is stored, encrypted.');
  const forget = useAction(async () => {
    await forgetGitToken(projectId);
    onChange();
  }, 'The token is forgotten.');
  return (
    <form class="card" onSubmit={submit} noValidate>
      <div class="section-head">
        <h3>Token for the git host</h3>
        <Tag kind={stored ? 'ok' : 'off'}>{stored ? 'Stored' : 'None'}</Tag>
      </div>
      <TextField
        label={stored ? 'Another token' : 'Token'}
        hint="Reads a private repository, writes statuses and comments. It is never shown again, and forks do not get it."
        type="password"
        value={token}
        onChange={setToken}
        error={faultOf('token')}
      />
      <FormFailure error={error} />
      <div class="actions">
        <Button type="submit" busy={busy} disabled={token.trim() === ''}>
          Store the token
        </Button>
        {stored && (
          <Button kind="quiet" busy={forget.busy} onClick={() => forget.run()}>
            Forget the token
          </Button>
        )}
      </div>
    </form>
  );
}

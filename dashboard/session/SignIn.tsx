import { useState } from 'preact/hooks';
import type { Caller } from '../../contract/people.ts';
import { ApiError, callApi, messageOf } from '../api/callApi.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import { Notice } from '../ui/Notice.tsx';
import { useTitle } from '../ui/useTitle.ts';
import { currentToken, endSession, keepToken } from './token.ts';

interface SignInProps {
  /** Why somebody who may have been signed in is asked. */
  readonly note: string | undefined;
  readonly onSignedIn: (caller: Caller) => void;
}

/** Asks for a token, once. */
export function SignIn({ note, onSignedIn }: SignInProps) {
  useTitle('Sign in');
  const [token, setToken] = useState('');
  const [keep, setKeep] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();

  const signIn = async (event: Event) => {
    event.preventDefault();
    const given = token.trim();
    if (!/^[\x21-\x7e]+$/.test(given)) return setFault('Paste the token: printable characters without blanks.');
    setBusy(true);
    keepToken(given, keep);
    try {
      onSignedIn(await callApi<Caller>('GET', '/whoami'));
    } catch (error) {
      if (currentToken() !== null) endSession('signedOut');
      const refused = error instanceof ApiError && error.status === 401;
      setFault(
        refused ? 'The platform does not know this token. It may have been revoked or have expired.' : messageOf(error),
      );
    } finally {
      setBusy(false);
    }
  };

  return (
    <main class="sign-in">
      <h1>Sign in to Veren</h1>
      {note && <Notice kind="warn">{note}</Notice>}
      <form onSubmit={signIn} noValidate>
        <Field
          label="Token"
          hint="On a laptop it is in the file .veren/token, or open the address that the start has printed. Elsewhere an admin makes one for you."
          error={fault}
        >
          {(props) => (
            <input
              {...props}
              type="password"
              autocomplete="current-password"
              spellcheck={false}
              value={token}
              onInput={(e) => setToken(e.currentTarget.value)}
            />
          )}
        </Field>
        <label class="check">
          <input type="checkbox" checked={keep} onChange={(e) => setKeep(e.currentTarget.checked)} />
          Keep me signed in in this browser (without it: until this tab is closed)
        </label>
        <Button kind="primary" type="submit" busy={busy}>
          Sign in
        </Button>
      </form>
    </main>
  );
}

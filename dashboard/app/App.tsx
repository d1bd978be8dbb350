import { useEffect, useState } from 'preact/hooks';
import { LocationProvider } from 'preact-iso/router';
import type { Caller } from '../../contract/people.ts';
import { callApi } from '../api/callApi.ts';
import { SessionProvider } from '../session/SessionContext.ts';
import { SignIn } from '../session/SignIn.tsx';
import { currentToken, onSessionEnd } from '../session/token.ts';
import { ConfirmationHost } from '../ui/confirm.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Toasts } from '../ui/Toasts.tsx';
import { useLoadable } from '../ui/useLoadable.ts';
import { Frame } from './Frame.tsx';
import { Pages } from './Pages.tsx';
import { paths } from './paths.ts';

/** The whole dashboard: who has signed in sees the pages, everybody else is asked for a token. */
export function App({ codeRefused }: { readonly codeRefused: boolean }) {
  const [token, setToken] = useState(currentToken);
  const [note, setNote] = useState(
    codeRefused
      ? 'The address with the code was used before or is of an earlier start. Paste the token instead.'
      : undefined,
  );
  useEffect(
    () =>
      onSessionEnd((reason) => {
        setToken(null);
        setNote(
          reason === 'refused'
            ? 'The platform does not accept your token any more: it was revoked or it has expired.'
            : undefined,
        );
      }),
    [],
  );
  const caller = useLoadable(token === null ? null : `caller/${token}`, (signal) =>
    callApi<Caller>('GET', '/whoami', { signal }),
  );

  return (
    <LocationProvider scope={paths.base}>
      {token === null ? (
        <SignIn note={note} onSignedIn={() => setToken(currentToken())} />
      ) : (
        <Loaded of={caller} what="who you are">
          {(known) => (
            <SessionProvider value={known}>
              <Frame>
                <Pages />
              </Frame>
            </SessionProvider>
          )}
        </Loaded>
      )}
      <ConfirmationHost />
      <Toasts />
    </LocationProvider>
  );
}

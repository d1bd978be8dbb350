import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Caller, Scope } from '../../contract/people.ts';

const SessionContext = createContext<Caller | null>(null);
export const SessionProvider = SessionContext.Provider;

const ORDER: readonly Scope[] = ['read', 'deploy', 'admin'];

/** Who has signed in, and whether the token may do what needs a scope. The platform checks it again. */
export function useSession(): { readonly caller: Caller; readonly may: (scope: Scope) => boolean } {
  const caller = useContext(SessionContext);
  if (!caller) throw new Error('used outside of a session');
  return { caller, may: (scope) => ORDER.indexOf(caller.scope) >= ORDER.indexOf(scope) };
}

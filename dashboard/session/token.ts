const KEY = 'veren.token';

export type EndReason = 'signedOut' | 'refused';

type Listener = (reason: EndReason) => void;
const listeners = new Set<Listener>();

/** The token that this browser was given: of this tab, else of all tabs. */
export const currentToken = (): string | null => sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);

/** @param keep in all tabs until it is signed out, rather than in this tab until it is closed */
export function keepToken(token: string, keep: boolean): void {
  forgetToken();
  (keep ? localStorage : sessionStorage).setItem(KEY, token);
}

/** Forgets the token and tells who listens: the person signed out, or the platform does not know the token any more. */
export function endSession(reason: EndReason): void {
  forgetToken();
  for (const listener of listeners) listener(reason);
}

/** Also hears of a session that ends in another tab. @returns what ends the listening */
export function onSessionEnd(listener: Listener): () => void {
  const hear = (event: StorageEvent) => {
    if (event.key === KEY && event.newValue === null && currentToken() === null) listener('signedOut');
  };
  listeners.add(listener);
  addEventListener('storage', hear);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', hear);
  };
}

function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

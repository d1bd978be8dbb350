import { useEffect, useRef, useState } from 'preact/hooks';

interface Named {
  readonly id: string;
}

/**
 * What was made and is shown once, for as long as the list has it: what was revoked, here or elsewhere, is offered no
 * more.
 * @param listed What exists; undefined while that is not known
 */
export function useMadeOnce<T extends Named>(listed: readonly Named[] | undefined) {
  const [made, setMade] = useState<T | null>(null);
  // A list that was loaded before it was made does not have it yet.
  const seen = useRef('');
  const isListed = made !== null && (listed?.some(({ id }) => id === made.id) ?? false);
  useEffect(() => {
    if (made === null || listed === undefined) return;
    if (isListed) seen.current = made.id;
    else if (seen.current === made.id) setMade(null);
  }, [listed, made, isListed]);
  return [made, setMade] as const;
}

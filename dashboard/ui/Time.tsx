import { formatAge } from './formats.ts';
import { useNow } from './useNow.ts';

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** How long ago; the exact time in the reader's own zone as a title. */
export function Time({ at }: { readonly at: string }) {
  const now = useNow(15_000);
  return (
    <time dateTime={at} title={exact.format(new Date(at))}>
      {formatAge(at, now)}
    </time>
  );
}

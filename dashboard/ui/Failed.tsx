import { ApiError, messageOf } from '../api/callApi.ts';
import { Button } from './Button.tsx';
import { Notice } from './Notice.tsx';

interface FailedProps {
  /** What could not be loaded or done: "the projects". */
  readonly what: string;
  readonly error: unknown;
  readonly retry?: () => void;
  /** What was loaded before is still shown. */
  readonly stale?: boolean;
}

/** What happened, what to do, and a way to try again. */
export function Failed({ what, error, retry, stale = false }: FailedProps) {
  const instance = error instanceof ApiError && error.status >= 500 ? error.instance : undefined;
  return (
    <Notice kind="bad" title={stale ? `What you see of ${what} may be old` : `Could not load ${what}`}>
      <p>{messageOf(error)}</p>
      {instance && <p class="soft">The platform's log has it as {instance}.</p>}
      {retry && <Button onClick={retry}>Try again</Button>}
    </Notice>
  );
}

import { ApiError, messageOf } from '../api/callApi.ts';
import { Notice } from './Notice.tsx';

/** Why a form was not taken, with every fault; nothing where there is none. */
export function FormFailure({ error }: { readonly error: unknown }) {
  if (error === undefined) return null;
  const faults = error instanceof ApiError ? error.faults : [];
  return (
    <Notice kind="bad">
      <p>{messageOf(error)}</p>
      {faults.length > 0 && (
        <ul class="faults">
          {faults.map(({ field, message }) => (
            <li key={field + message}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

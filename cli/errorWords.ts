import { ERRORS, type ErrorCode, isErrorCode } from '../contract/errors.ts';
import { ProblemError } from './client/errors.ts';

/** What to do next at a terminal, where the API's own sentence speaks of requests. */
const ACTIONS: Readonly<Partial<Record<ErrorCode, string>>> = {
  INVALID_REQUEST: 'Correct what is named:',
  UNAUTHORIZED: 'It may have been revoked or have expired.',
  FORBIDDEN: 'Use a token that may; an admin can make one with "veren tokens create".',
  RATE_LIMITED: 'Try again later; the operator of the platform sets the limits.',
  NOT_RELEASABLE: 'Release one that has succeeded; "veren ls" lists them.',
  GIT_URL_MISSING: 'Give its URL once: veren deploy <url>.',
  UPLOAD_INCOMPLETE: 'Run it again; what has arrived is not sent a second time.',
  REQUEST_LOST: 'Deploy it anew: veren deploy.',
  SECRETS_UNREADABLE: 'Deploy it anew: veren deploy; the operator can put the earlier key back.',
};

/** The message of an error in the words of the command line. */
export function wordsOf(error: Error): string {
  if (!(error instanceof ProblemError) || !isErrorCode(error.code)) return error.message;
  const own = ACTIONS[error.code];
  const { action } = ERRORS[error.code];
  // The API's sentence ends with the action, which may have details filled in.
  const start = action.split('{')[0]!;
  const at = error.message.indexOf(start);
  if (own === undefined || at < 0 || start === '') return error.message;
  const lines = error.message.slice(at).split('\n').slice(1);
  return [error.message.slice(0, at) + own, ...lines].join('\n');
}

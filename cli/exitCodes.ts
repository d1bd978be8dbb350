import { VerenError } from '../contract/errors.ts';
import { ProblemError, UnreachableError } from './client/errors.ts';
import { InterruptedError } from './shell.ts';

/** How the command ends. `docs/cli.md` has the same table; a test compares them. */
export const EXIT = {
  ok: 0,
  /** A deployment that was waited for has failed or was canceled, or a repository cannot be built. */
  failedBuild: 1,
  /** What was asked for cannot be done as it was asked for. */
  usage: 2,
  /** No token, one that is not valid, or one that may not do this. */
  notAuthenticated: 3,
  /** The platform does not answer, or not as it should, or asks to come back later. */
  platform: 4,
  /** Ctrl-C, as shells have it: 128 and the signal's number. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const NOT_AUTHENTICATED: readonly string[] = ['CLI_NOT_LOGGED_IN', 'CLI_NO_CONTEXT'];

/** The exit code for what was thrown; undefined for a fault of ours. */
export function exitCodeOf(error: unknown): ExitCode | undefined {
  if (error instanceof InterruptedError) return EXIT.interrupted;
  if (error instanceof UnreachableError) return EXIT.platform;
  if (error instanceof VerenError) return NOT_AUTHENTICATED.includes(error.code) ? EXIT.notAuthenticated : EXIT.usage;
  if (!(error instanceof ProblemError)) return undefined;
  if (error.status === 401 || error.status === 403) return EXIT.notAuthenticated;
  return error.status >= 500 || error.status === 429 ? EXIT.platform : EXIT.usage;
}

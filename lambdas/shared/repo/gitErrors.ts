import { VerenError } from '../../../contract/errors.ts';
import { tooLarge } from './excess.ts';
import type { GitResult } from './runGit.ts';

export interface FetchContext {
  readonly url: string;
  readonly ref?: string | undefined;
  readonly token?: string | undefined;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** Patterns of git's messages (run with LC_ALL=C) and what they mean, the most specific first. */
const MESSAGES: readonly (readonly [RegExp, 'ref' | 'auth' | 'denied' | 'absent'])[] = [
  [/couldn't find remote ref|not our ref|unadvertised object|no such remote ref/i, 'ref'],
  [/Authentication failed|could not read (?:Username|Password)|terminal prompts disabled/i, 'auth'],
  [/returned error: 40[13]/, 'denied'],
  [
    /not found|returned error: 404|returned error: 410|does not exist|does not appear to be a git repository|is this a git repository/i,
    'absent',
  ],
];

/** The user's error for a fetch that has failed. */
export function fetchError(result: GitResult, context: FetchContext): VerenError {
  const { url } = context;
  if (result.kind === 'stopped') {
    if (result.by === 'bytes') return tooManyBytes(context.maxBytes);
    if (result.by === 'timeout')
      return new VerenError('GIT_TIMEOUT', { seconds: Math.round(context.timeoutMs / 1000) });
    return new VerenError('GIT_FAILED', { url, reason: 'it was stopped' });
  }
  if (isOutOfMemory(result.stderr)) return outOfMemory();
  if (/exceeds maximum allowed size|died of signal 25\b/.test(result.stderr)) return tooManyBytes(context.maxBytes);
  if (/died of signal 24\b/.test(result.stderr)) return outOfTime();
  const kind = MESSAGES.find(([pattern]) => pattern.test(result.stderr))?.[1];
  if (kind === 'ref') return new VerenError('REF_NOT_FOUND', { url, ref: context.ref ?? 'HEAD' });
  if (kind === 'auth' || kind === 'denied')
    return new VerenError(context.token ? 'REPO_AUTH_FAILED' : 'REPO_NOT_FOUND', { url });
  if (kind === 'absent') return new VerenError('REPO_NOT_FOUND', { url });
  return new VerenError('GIT_FAILED', {
    url,
    reason: lastWords(result.stderr, context.token) || `git ended with exit code ${result.code}`,
  });
}

const tooManyBytes = (maxBytes: number) =>
  tooLarge(`more than ${Math.round(maxBytes / 1024 / 1024)} MiB would have to be read to know what is in it`);

/** In the words of git, curl and the C library for a process that has reached its memory limit. */
export const isOutOfMemory = (stderr: string): boolean =>
  /out of memory|cannot allocate memory|mmap failed|unable to create thread|failed to map/i.test(stderr);

/** Deltas of deltas: with a few bytes of them a host can keep git busy for hours. */
export const outOfTime = (): VerenError =>
  tooLarge('git needs more time than it may have to unpack what the host sends');

export const outOfMemory = (): VerenError =>
  tooLarge('git needs more memory than it may have to read what the host sends');

export const isRedirect = (result: GitResult): boolean =>
  result.kind === 'exit' && /returned error: 30[12378]/.test(result.stderr);

export const isUnadvertised = (result: GitResult): boolean =>
  result.kind === 'exit' && /unadvertised object|not our ref/i.test(result.stderr);

export const isMissingRef = (result: GitResult): boolean =>
  result.kind === 'exit' && /couldn't find remote ref/i.test(result.stderr);

export const isMissingHead = (result: GitResult): boolean =>
  result.kind === 'exit' && /couldn't find remote ref HEAD/.test(result.stderr);

/** git's own last error message, shortened and without control characters, since parts of it come from the server. */
export function lastWords(stderr: string, token: string | undefined): string {
  const line = stderr.split('\n').findLast((l) => /^(?:fatal|error):/.test(l)) ?? '';
  const plain = line
    .replace(/^(?:fatal|error): /, '')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 200);
  return token ? plain.replaceAll(token, '***') : plain;
}

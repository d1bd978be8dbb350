import type { GitPolicy } from '../../../lambdas/shared/repo/gitPolicy.ts';
import type { Resolve } from '../../../lambdas/shared/repo/hostAddress.ts';
import { captureOutput } from '../command.ts';
import { programPath, SYSTEM_PATH } from '../programs.ts';
import type { Sandbox } from '../sandbox.ts';

/**
 * What the steps that complete a checkout need. Every program that runs below a folder of the build runs as its user.
 */
export interface CheckoutContext {
  readonly raw: Readonly<Record<string, string>>;
  /** Folder of this build. */
  readonly work: string;
  readonly sandbox: Sandbox;
  readonly policy: GitPolicy;
  /** Looks host names up; for tests. Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  readonly signal: AbortSignal;
  /** A line of ours in the log. */
  readonly say: (text: string) => void;
  /** Output of git's. */
  readonly hear: (chunk: Buffer) => void;
}

/** A folder with a checked-out repository. */
export interface Checkout {
  readonly folder: string;
  /** Path from the main repository's root, for people; `.` for itself. */
  readonly name: string;
  /** Where it was fetched from. */
  readonly url: string;
}

const MAX_BYTES = 64 * 1_024 * 1_024;
const TIMEOUT_MS = 60_000;

/** git's output in a checkout, split at NUL. git sees only the repository's own configuration. */
export async function gitParts(
  { sandbox }: Pick<CheckoutContext, 'sandbox'>,
  folder: string,
  args: readonly string[],
): Promise<string[]> {
  const stdout = await captureOutput({
    sandbox,
    argv: [programPath('git'), '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', ...args],
    cwd: folder,
    env: { PATH: SYSTEM_PATH, HOME: '/nonexistent', LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', GIT_OPTIONAL_LOCKS: '0' },
    maxBytes: MAX_BYTES,
    timeoutMs: TIMEOUT_MS,
  });
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((part) => part !== '');
}

/** Settings of a file of the commit, by name in git's form (`submodule.x.url`). Read from the commit: a link is not followed. */
export async function settingsOf(
  context: Pick<CheckoutContext, 'sandbox'>,
  folder: string,
  file: string,
): Promise<ReadonlyMap<string, string>> {
  const [exists] = await gitParts(context, folder, ['ls-tree', '-z', 'HEAD', '--', file]);
  if (exists === undefined || !exists.startsWith('100')) return new Map();
  const parts = await gitParts(context, folder, ['config', '--blob', `HEAD:${file}`, '--null', '--list']);
  return new Map(
    parts.flatMap((part) => {
      const end = part.indexOf('\n');
      return end === -1 ? [] : [[part.slice(0, end), part.slice(end + 1)] as const];
    }),
  );
}

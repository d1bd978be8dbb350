import { VerenError } from '../../../contract/errors.ts';
import { fetchCommit } from './fetchCommit.ts';
import { lastWords } from './gitErrors.ts';
import { makeGitFolder, removeGitFolder } from './gitFolder.ts';
import type { GitPolicy } from './gitPolicy.ts';
import { openObjectReader, ReaderError } from './objectReader.ts';
import type { RunLimits } from './runGit.ts';

/** The message of a commit, its first 10,000 characters. Throws what `fetchCommit` throws. */
export type ReadMessage = (
  of: { readonly gitUrl: string; readonly commit: string; readonly gitToken?: string | undefined },
  signal?: AbortSignal,
) => Promise<string>;

const MAX_COMMIT_BYTES = 256 * 1024;
const MAX_MESSAGE = 10_000;

export const messageReader =
  (policy: GitPolicy, workDir?: string): ReadMessage =>
  async ({ gitUrl, commit, gitToken }, signal) => {
    const deadline = AbortSignal.timeout(policy.timeoutMs);
    const limits: RunLimits = { deadline, signal, maxPackBytes: policy.maxBytes };
    const folder = await makeGitFolder(policy, workDir);
    try {
      const { session } = await fetchCommit(folder, { gitUrl, ref: commit, gitToken, policy }, limits);
      session?.close();
      const stopped = signal ? AbortSignal.any([deadline, signal]) : deadline;
      // No transport: it cannot fetch by itself.
      const reader = openObjectReader({ ...folder, env: { ...folder.env, GIT_ALLOW_PROTOCOL: '' } }, stopped);
      try {
        const { value: object } = await reader.read([`${commit}^{commit}`], MAX_COMMIT_BYTES).next();
        const text = object ? object.bytes.toString('utf8') : '';
        // Headers, an empty line, the message. Source: git-cat-file(1), git-commit-tree(1).
        return text.slice(text.indexOf('\n\n') + 2).slice(0, MAX_MESSAGE);
      } finally {
        reader.close();
      }
    } catch (error) {
      if (!(error instanceof ReaderError)) throw error;
      throw new VerenError('GIT_FAILED', {
        url: gitUrl,
        reason: lastWords(error.message, gitToken) || 'git ended early',
      });
    } finally {
      await removeGitFolder(folder);
    }
  };

import { once } from 'node:events';
import type { Conversation } from './conversation.ts';
import { isOutOfMemory, outOfTime } from './gitErrors.ts';
import { collectOutput, type GitFolder, killGroup, onAbort, type RunLimits, startGit, waitForClose } from './runGit.ts';

/**
 * Reads the sections of a fetch's answer and gives the pack to `git index-pack`. Throws an Error with git's message.
 */
export async function receivePack(host: Conversation, folder: GitFolder, limits: RunLimits): Promise<void> {
  // Started while the host is still at work.
  const indexer = startGit(folder, ['index-pack', '--stdin', `--max-input-size=${limits.maxPackBytes}`]);
  const unwatch = onAbort(limits, () => killGroup(indexer));
  const stderr = collectOutput(indexer.stderr, () => killGroup(indexer));
  indexer.stdout.resume();
  const exited = waitForClose(indexer);
  try {
    for (let section = await host.line(); section !== 'packfile'; section = await host.line())
      await host.lines('delimiter', () => {});
    await host.pack(async (bytes) => {
      if (!indexer.stdin.write(bytes)) await Promise.race([once(indexer.stdin, 'drain'), exited]);
      // git has stopped reading; its message is the reason.
      if (indexer.exitCode !== null || indexer.signalCode !== null) throw new Error(await lastWord());
    });
    indexer.stdin.end();
    if ((await exited) !== 0) throw new Error(await lastWord());
  } finally {
    unwatch();
    killGroup(indexer);
  }

  async function lastWord(): Promise<string> {
    await exited;
    if (indexer.signalCode === 'SIGXCPU') throw outOfTime();
    const lines = stderr().split('\n');
    const word = lines.find(isOutOfMemory) ?? lines[0];
    return word?.replace(/^fatal: /, '') || 'index-pack failed';
  }
}

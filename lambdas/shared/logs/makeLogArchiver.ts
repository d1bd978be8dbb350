import type { Archive } from '../archive.ts';
import type { LogChannel } from '../ports.ts';
import { readLogPages } from './followLog.ts';

/**
 * Writes a deployment's log into the archive, from Redis or, where it is no longer there, from the archive itself. Events
 * and lines are projected side by side, so two runs may archive one log at once, and the one that has read fewer lines may
 * write last. So each looks for later lines after it has written, and writes again: the last to write has seen every line.
 */
export const makeLogArchiver =
  (deps: { readonly logs: LogChannel; readonly archive: Archive }) =>
  async (deploymentId: string): Promise<void> => {
    for (let before = -1; ; ) {
      const lastSeq = await archiveOnce(deps, deploymentId);
      // A further look that has found nothing later to write would find nothing the next time either.
      if (lastSeq <= before || (await deps.logs.read(deploymentId, lastSeq, 1)).length === 0) return;
      before = lastSeq;
    }
  };

/** @returns the number of the last line that was written; 0 where there was none */
async function archiveOnce(
  deps: { readonly logs: LogChannel; readonly archive: Archive },
  deploymentId: string,
): Promise<number> {
  let lastSeq = 0;
  async function* pages() {
    for await (const lines of readLogPages(deps, deploymentId, 0)) {
      lastSeq = lines.at(-1)?.seq ?? lastSeq;
      yield lines;
    }
  }
  await deps.archive.writeLog(deploymentId, pages());
  return lastSeq;
}

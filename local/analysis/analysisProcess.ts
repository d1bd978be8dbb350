import { VerenError } from '../../contract/errors.ts';
import { analyzeRepository } from '../../lambdas/clone-worker/analyzeRepository.ts';
import { killGroup, watchChildren } from '../../lambdas/shared/repo/runGit.ts';
import type { AnalysisInput, AnalysisMessage } from './messages.ts';

/** The process in which repositories are read, one at a time: the entry of the bundle that `openAnalysisPool` starts. */

const children = new Set<number>();
const sendMessage = (message: AnalysisMessage) => process.connected && process.send?.(message);

watchChildren((pid, ended) => {
  children.add(pid);
  sendMessage({ type: 'child-started', pid });
  void ended.then(() => {
    children.delete(pid);
    sendMessage({ type: 'child-ended', pid });
  });
});

process.on('message', async (input: AnalysisInput) => {
  await analyzeRepository(input).then(
    (analysis) => sendMessage({ type: 'analysis', analysis }),
    (error: unknown) =>
      error instanceof VerenError
        ? sendMessage({ type: 'refused', code: error.code, details: error.details })
        : sendMessage({ type: 'failed', stack: String((error as Error)?.stack ?? error) }),
  );
});

// The platform has ended, so nobody waits for an answer any more.
process.on('disconnect', () => {
  for (const pid of children) killGroup({ pid });
  process.exit();
});

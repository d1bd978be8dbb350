import { VerenError } from '../../contract/errors.ts';
import type { RepoFs } from '../../contract/repo-fs.ts';
import { detectProjectType } from '../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import { type GitPolicy, LAPTOP_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';
import { withGitRepo } from '../../lambdas/shared/repo/gitRepo.ts';
import type { Measured } from './measuredAnalysis.ts';

/** The other side of measuredAnalysis.ts: one analysis, and what it does to its process meanwhile. */
process.once('message', async ({ gitUrl, limits }: { gitUrl: string; limits: Partial<GitPolicy> }) => {
  const before = process.memoryUsage.rss();
  let [most, stall, last] = [before, 0, performance.now()];
  // Deciding is not waited for here: it is of another kind, and has a process of its own.
  let reading = true;
  const look = () => {
    const now = performance.now();
    if (reading) stall = Math.max(stall, now - last);
    last = now;
    most = Math.max(most, process.memoryUsage.rss());
  };
  const watch = setInterval(look, 10);
  const started = performance.now();
  const policy = { ...LAPTOP_POLICY, ...limits };
  const outcome = await withGitRepo({ gitUrl, policy }, async ({ fs }) => {
    look();
    reading = false;
    const read: RepoFs['read'] = async (paths, maxBytes) => {
      reading = true;
      last = performance.now();
      try {
        return await fs.read(paths, maxBytes);
      } finally {
        look();
        reading = false;
      }
    };
    return detectProjectType({ ...fs, read }, { today: '2026-11-23', maxFileBytes: policy.maxFileBytes });
  }).then(
    ({ warnings }) => ({ code: 'planned', message: warnings.join(' ') }),
    (error: unknown) =>
      error instanceof VerenError
        ? { code: error.code, message: error.message }
        : { code: 'crash', message: String(error) },
  );
  look();
  clearInterval(watch);
  const measured: Measured = {
    ...outcome,
    ms: performance.now() - started,
    stallMs: stall,
    grownMiB: (most - before) / 2 ** 20,
  };
  process.send?.(measured);
});

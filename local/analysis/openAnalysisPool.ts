import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inheritedByGit } from '../../lambdas/shared/repo/gitFolder.ts';
import { LAPTOP_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';
import { sweepGitFolders } from '../../lambdas/shared/repo/sweepGitFolders.ts';
import type { HostEnv } from '../platform/images.ts';
import { bundleAnalysis } from './bundleAnalysis.ts';
import type { Analysis, AnalysisRequest } from './messages.ts';
import { type AnalysisProcess, startAnalysisProcess } from './startAnalysisProcess.ts';

/** Runs analyses in processes of their own, so that a hostile repository can harm only that process. */
export interface AnalysisPool {
  /** Waits for its turn. Throws as `analyzeRepository`. */
  analyze(request: AnalysisRequest): Promise<Analysis>;
  close(): Promise<void>;
}

export interface AnalysisPoolOptions {
  /** The platform's own folder; no other process may use it. */
  readonly dataDir: string;
  readonly hostEnv: HostEnv;
  readonly policy?: typeof LAPTOP_POLICY;
}

/** An analysis that was ended by a stop has shown nothing: it is made again after the next start. */
const NO_OUTCOME = new Promise<never>(() => undefined);

/** Several analyses run at once, so that one that waits for its host does not delay the others. */
export const MAX_ANALYSES = 4;

/** Also removes what analyses left before a restart. */
export async function openAnalysisPool(options: AnalysisPoolOptions): Promise<AnalysisPool> {
  const { dataDir, hostEnv, policy = LAPTOP_POLICY } = options;
  const folder = join(dataDir, 'analysis');
  await rm(folder, { recursive: true, force: true });
  // Where earlier versions made them.
  void sweepGitFolders(tmpdir());
  const bundle = join(dataDir, 'builder', 'analysis.mjs');
  const bundled = bundleAnalysis(bundle);
  bundled.catch(() => {});

  const idle: AnalysisProcess[] = [];
  const all = new Set<AnalysisProcess>();
  const waiting: (() => void)[] = [];
  let [running, started, closed] = [0, 0, false];

  const startProcess = (): AnalysisProcess => {
    const process = startAnalysisProcess(bundle, join(folder, String(started++)), inheritedByGit(hostEnv, policy));
    all.add(process);
    return process;
  };
  const giveWork = async (process: AnalysisProcess): Promise<void> => {
    // One process is kept, so that the next analysis does not wait for a start.
    if (process.usable && idle.length === 0 && !closed) idle.push(process);
    else {
      await process.end();
      all.delete(process);
    }
  };
  void bundled.then(
    () => !closed && idle.length === 0 && running === 0 && idle.push(startProcess()),
    () => {},
  );

  return {
    async analyze(request) {
      if (running >= MAX_ANALYSES) await new Promise<void>((turn) => waiting.push(turn));
      else running += 1;
      try {
        await bundled;
        const process = idle.splice(0).find((one) => one.usable) ?? startProcess();
        try {
          return await process
            .analyze({ ...request, policy })
            .catch((error) => (closed ? NO_OUTCOME : Promise.reject(error)));
        } finally {
          await giveWork(process);
        }
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running -= 1;
      }
    },
    async close() {
      closed = true;
      await bundled.catch(() => {});
      await Promise.all([...all].map((process) => process.end()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { Answered, Asked } from './boundedDetectorWorker.ts';

/**
 * Detection in a thread whose heap may hold `maxMiB`: V8 ends the thread when live objects need more. The process's
 * resident size would not tell, since it also grows with what the collector has not looked at yet.
 */
export async function boundedDetector(maxMiB: number) {
  const { outputFiles } = await build({
    entryPoints: [`${__dirname}/boundedDetectorWorker.ts`],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'silent',
  });
  const young = 32;
  const worker = new Worker(outputFiles[0]!.text, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: maxMiB - young, maxYoungGenerationSizeMb: young },
  });
  return {
    /** Rejects with ERR_WORKER_OUT_OF_MEMORY when the thread needs more than it may. */
    async detect(asked: Asked): Promise<Answered> {
      worker.postMessage(asked);
      const [answer] = await once(worker, 'message');
      return answer;
    },
    close: () => worker.terminate(),
  };
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { GitPolicy } from '../../lambdas/shared/repo/gitPolicy.ts';
import { temporaryFolder } from './folders.ts';

export interface Measured {
  /** Of the error table; `planned` where there is a plan, `crash` for any other error and for a process that died. */
  readonly code: string;
  readonly message: string;
  readonly ms: number;
  /** The longest time without a turn of the event loop while it was reading. */
  readonly stallMs: number;
  /** Growth of the process's resident memory. */
  readonly grownMiB: number;
}

let bundled: Promise<string> | undefined;

/** Analyzes in a process of its own, so that its memory is its own, and ends it after a minute. */
export async function measuredAnalysis(gitUrl: string, limits: Partial<GitPolicy> = {}): Promise<Measured> {
  bundled ??= bundle();
  const child = fork(await bundled, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
  try {
    child.send({ gitUrl, limits });
    return await Promise.race([once(child, 'message').then(([measured]) => measured as Measured), died(child)]);
  } finally {
    clearTimeout(late);
    child.kill('SIGKILL');
  }
}

async function died(child: ChildProcess): Promise<Measured> {
  const [code, signal] = await once(child, 'exit');
  return { code: 'crash', message: `ended with ${signal ?? code}`, ms: 0, stallMs: 0, grownMiB: 0 };
}

async function bundle(): Promise<string> {
  const outfile = join(temporaryFolder(), 'measured.mjs');
  await build({
    entryPoints: [join(__dirname, 'measuredAnalysisProcess.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
    logLevel: 'silent',
  });
  return outfile;
}

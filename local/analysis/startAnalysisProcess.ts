import { type ChildProcess, fork } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { VerenError } from '../../contract/errors.ts';
import { tooLarge } from '../../lambdas/shared/repo/excess.ts';
import { killGroup } from '../../lambdas/shared/repo/runGit.ts';
import type { Analysis, AnalysisInput, AnalysisMessage } from './messages.ts';

/** A process that reads repositories. */
export interface AnalysisProcess {
  /** Whether it can take another analysis. */
  readonly usable: boolean;
  /** One at a time. Throws what `analyzeRepository` throws, and REPO_TOO_LARGE where the process had to be ended. */
  analyze(input: AnalysisInput): Promise<Analysis>;
  /** Ends it, whatever it is doing. */
  end(): Promise<void>;
}

/** A listing at all its limits takes about 100 MB. */
const HEAP_MB = 192;
const EXEC_ARGV = [`--max-old-space-size=${HEAP_MB}`, '--max-semi-space-size=16', '--no-warnings'];
/** Limit of processor time, so that the process ends even if the platform is killed while it does not read messages. */
const CPU_SECONDS = 600;
const MAX_ANALYSES_EACH = 100;
/** The analysis has a time limit of its own; a process that runs longer has stopped reacting. */
const GRACE_MS = 5_000;

/**
 * @param file the bundle of `analysisProcess.ts`
 * @param workDir a folder of this process's own, removed with it
 * @param env everything that it sees of the platform's environment
 */
export function startAnalysisProcess(
  file: string,
  workDir: string,
  env: Readonly<Record<string, string>>,
): AnalysisProcess {
  const child = fork(file, {
    execPath: '/bin/sh',
    execArgv: ['-c', `ulimit -S -t ${CPU_SECONDS}; exec "$0" "$@"`, process.execPath, ...EXEC_ARGV],
    env: { ...env },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // Ctrl-C is for the platform, which lets running analyses end.
    detached: true,
  });
  const children = new Set<number>();
  let alive = true;
  let late = false;
  let analyses = 0;
  child.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    const onEnd = async () => {
      if (!alive) return;
      alive = false;
      for (const pid of children) killGroup({ pid });
      await rm(workDir, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
      resolve();
    };
    child.once('exit', onEnd);
    child.once('error', onEnd);
  });
  child.on('message', (message: AnalysisMessage) => {
    if (message.type === 'child-started') children.add(message.pid);
    if (message.type === 'child-ended') children.delete(message.pid);
  });
  const killProcess = () => child.kill('SIGKILL');

  return {
    get usable() {
      return alive && analyses < MAX_ANALYSES_EACH;
    },
    async analyze(input) {
      analyses += 1;
      const timer = setTimeout(() => {
        late = true;
        killProcess();
      }, input.policy.timeoutMs + GRACE_MS);
      try {
        return await Promise.race([
          answerOf(child, { ...input, workDir }),
          ended.then(() => Promise.reject(reasonOfEnd())),
        ]);
      } finally {
        clearTimeout(timer);
      }
    },
    async end() {
      killProcess();
      await ended;
    },
  };

  function reasonOfEnd(): Error {
    if (late) return tooLarge('deciding what to build takes longer than an analysis may take');
    // V8 aborts at its memory limit; the system kills the process when it has no memory left.
    if (child.signalCode === 'SIGABRT' || child.signalCode === 'SIGKILL')
      return tooLarge('deciding what to build needs more memory than an analysis may have');
    return new Error(`the analysis process ended with ${child.signalCode ?? child.exitCode ?? 'an error'}`);
  }
}

function answerOf(child: ChildProcess, input: AnalysisInput): Promise<Analysis> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: AnalysisMessage) => {
      if (message.type === 'analysis') resolve(message.analysis);
      else if (message.type === 'refused') reject(VerenError.restore(message.code, message.details));
      else if (message.type === 'failed') reject(new Error(message.stack));
      else return;
      child.off('message', onMessage);
    };
    child.on('message', onMessage);
    child.send(input, (error) => error && reject(error));
  });
}

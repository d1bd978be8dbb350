import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, temporaryFolder } from '../support/veren.ts';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Called with all of stderr so far, whenever there is more. */
  readonly onStderr?: (text: string, child: ChildProcess) => void;
  /** The same for stdout. */
  readonly onStdout?: (text: string, child: ChildProcess) => void;
}

/**
 * The bundled command, as users have it: each call is a process with a configuration folder of the test's own and nothing of
 * the shell's environment that could steer it.
 */
export function useCli() {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const file = () => join(folder.path, 'bundle/veren.mjs');
  const environment = (env: CliOptions['env'] = {}): NodeJS.ProcessEnv => ({
    PATH: process.env.PATH,
    HOME: folder.path,
    XDG_CONFIG_HOME: join(folder.path, 'config'),
    ...env,
  });
  beforeAll(async () => {
    folder = await temporaryFolder();
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/buildCli.ts', file()], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  }, 120_000);
  afterAll(() => folder.remove());

  const start = (program: string, args: readonly string[], options: CliOptions): Promise<CliResult> =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { cwd: options.cwd ?? folder.path, env: environment(options.env) });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text) => {
        stdout += text;
        options.onStdout?.(stdout, child);
      });
      child.stderr.setEncoding('utf8').on('data', (text) => {
        stderr += text;
        options.onStderr?.(stderr, child);
      });
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
      child.stdin.on('error', () => {});
      // Who reacts to what is written answers when it has been asked.
      if (!options.onStdout) child.stdin.end(options.input ?? '');
    });

  return {
    get folder() {
      return folder.path;
    },
    get file() {
      return file();
    },
    run: (args: readonly string[], options: CliOptions = {}) => start(process.execPath, [file(), ...args], options),
    /** The same on a terminal of its own, by `script` of util-linux: what it writes is all on `stdout`. */
    runOnTerminal: (args: readonly string[], options: CliOptions = {}) => {
      const command = [process.execPath, file(), ...args].map((word) => `'${word}'`).join(' ');
      return start('script', ['--quiet', '--return', '--command', command, '/dev/null'], options);
    },
  };
}

/** `script` of util-linux; that of BSD has other options. */
export const HAS_TERMINAL = /util-linux/.test(String(spawnSync('script', ['--version']).stdout));

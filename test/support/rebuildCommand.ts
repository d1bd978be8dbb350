import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RebuildReport } from '../../operator/rebuild/rebuild.ts';

const run = promisify(execFile);

/** `npm run rebuild -- --data <folder>`; its report. */
export async function rebuildCommand(data: string, env: Record<string, string>): Promise<RebuildReport> {
  const args = ['--import', 'tsx', 'bin/rebuild.ts', '--data', data];
  const { stdout } = await run(process.execPath, args, { env: { PATH: process.env.PATH, ...env } }).catch((e) => {
    // What differs is told on stdout.
    throw new Error(`${e.message}\n${e.stdout}`);
  });
  return JSON.parse(stdout);
}

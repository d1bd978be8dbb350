import { join } from '../../../../contract/repo-fs.ts';
import type { Snapshot } from './snapshot.ts';

export const PROCFILE = 'Procfile';

/** The command of process `web` in a folder's Procfile. One with control characters in it cannot be started, and is none. */
export function readWebProcess(repo: Snapshot, dir: string): string | undefined {
  const command = /^web:[ \t]*(\S[^\r\n]{0,1000})/m.exec(repo.text(join(dir, PROCFILE)) ?? '')?.[1]?.trim();
  return command === undefined || /(?!\t)\p{Cc}/u.test(command) ? undefined : command;
}

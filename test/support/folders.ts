import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder for temporary files; everything made by it is removed by `removeFolders`. */
const made: string[] = [];
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'veren-test-'));
  made.push(dir);
  return dir;
}

export function removeFolders(): void {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
}

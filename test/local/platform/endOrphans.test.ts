import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSandbox } from '../../../builder-images/shared/sandbox.ts';
import { ROOT } from '../../support/veren.ts';

const PERL = '/usr/bin/perl';
const testAsRoot = process.getuid?.() === 0 && existsSync(PERL) ? test : test.skip;
/** Of no build: others may run at the same time. */
const uid = 54_323;

testAsRoot(
  'what a repository has brought ends with a killed platform, also where it kills what ends it; a folder is no command',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'veren-orphans-'));
    const lock = join(root, "a'$(touch made) `touch made`; -e b");
    writeFileSync(lock, 'this platform');
    const sandbox = createSandbox({ uid, maxProcesses: 100, cookie: '' });
    const script = `import { endOrphans } from './local/platform/endOrphans.ts';
endOrphans(process.env.LOCK, { range: { first: ${uid}, last: ${uid} } }); console.log('on'); setInterval(() => {}, 1e6);`;
    const platform = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: ROOT,
      env: { LOCK: lock },
    });
    try {
      await once(platform.stdout, 'data');
      const argv = [PERL, '-e', '$| = 1; print "on\n"; while (1) { kill "KILL", -1; exit if fork }'] as const;
      const resisting = sandbox.start({ argv, cwd: '/', env: {} });
      await once(resisting.stdout, 'data');
      platform.kill('SIGKILL');
      // Every process of it has this pipe.
      await once(resisting.stdout, 'end');
      expect(existsSync(join(root, 'made')) || existsSync('/made')).toBe(false);
    } finally {
      platform.kill('SIGKILL');
      await sandbox.killAll();
      rmSync(root, { recursive: true });
    }
  },
  30_000,
);

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSandbox } from '../../../builder-images/shared/sandbox.ts';

/** Ends its first thread: from then on the system calls it a zombie, and its other thread works on. */
const HEADLESS = `
import ctypes, threading, time
threading.Thread(target=lambda: time.sleep(60)).start()
ctypes.CDLL(None).pthread_exit(0)
`;
/** Debian's: others may lie where no other user can read. */
const PYTHON = '/usr/bin/python3';
const testAsRoot = process.getuid?.() === 0 && existsSync(PYTHON) ? test : test.skip;

testAsRoot(
  'a process that looks dead because its first thread is, is ended too',
  async () => {
    const uid = 54_321;
    const child = spawn(
      'setpriv',
      ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups', PYTHON, '-c', HEADLESS],
      {
        stdio: 'ignore',
      },
    );
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    while (!/^State:\s+Z/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'))) await sleep(20);
    await createSandbox({ uid, gid: uid, maxProcesses: 100, cookie: '' }).killAll();
    expect(await ended).toBe('SIGKILL');
  },
  30_000,
);

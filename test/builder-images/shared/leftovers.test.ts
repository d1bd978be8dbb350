import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

/** Each program signals whatever is like itself, so also what ends it; the second is always another process. */
const RESISTING = {
  'stops whatever ends it': 'while (1) { kill "STOP", -1 }',
  /** Never in a list of processes for long: a new one each time. */
  'kills whatever ends it, and forks': 'while (1) { kill "KILL", -1; my $pid = fork; exit if $pid; }',
};
const PERL = '/usr/bin/perl';
const testWithPerl = process.getuid?.() === 0 && existsSync(PERL) ? test.each : test.skip.each;

testWithPerl(Object.entries(RESISTING))(
  'a program that %s is ended',
  async (_, program) => {
    const sandbox = createSandbox({ uid: 54_322, maxProcesses: 100, cookie: '' });
    await sandbox.killAll(); // of a run before this one
    const running = sandbox.start({ argv: [PERL, '-e', `$| = 1; print "on\n"; ${program}`], cwd: '/', env: {} });
    await once(running.stdout, 'data');
    running.stderr.resume();
    const from = performance.now();
    // Every process of it has this pipe.
    await Promise.all([once(running.stdout, 'end'), sandbox.killAll()]);
    expect(performance.now() - from).toBeLessThan(10_000);
  },
  30_000,
);

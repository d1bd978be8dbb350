#!/usr/bin/env node
import { homedir } from 'node:os';
import { createColorChoice } from './output/colorChoice.ts';
import { runCli } from './runCli.ts';
import { Interrupts, MaskedStream } from './shell.ts';

/** What a shell says of a program whose reader has gone: 128 and SIGPIPE. */
const READER_GONE = 141;
const INTERRUPTED = 130;

const secrets = new Set<string>();
const hasColor = createColorChoice(process.env, process.argv);
const interrupts = new Interrupts();

for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(READER_GONE);
    throw error;
  });
process.on('SIGINT', () => {
  if (!interrupts.interrupt()) process.exit(INTERRUPTED);
});

const code = await runCli(
  {
    env: process.env,
    platform: process.platform,
    cwd: process.cwd(),
    home: homedir(),
    stdin: process.stdin,
    stdout: new MaskedStream(process.stdout, secrets, hasColor(process.stdout)),
    stderr: new MaskedStream(process.stderr, secrets, hasColor(process.stderr)),
    now: Date.now,
    interrupts,
  },
  process.argv.slice(2),
  (token) => secrets.add(token),
);
// Not process.exit: what is still being written to a pipe would be lost.
process.exitCode = code;
process.stdin.unref?.();

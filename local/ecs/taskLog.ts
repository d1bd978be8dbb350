import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';

/** The output of one task. When it has grown to this, it starts again from nothing. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The task writes into the file itself, so that it can clean up (no EPIPE in the builder) when the platform dies. The
 * price is that the size has to be checked regularly.
 */
export class TaskLog {
  readonly fd: number;

  constructor(path: string) {
    // In append mode, so that after a cut the task continues at the new end and leaves no gap.
    this.fd = openSync(path, 'a', 0o600);
  }

  bound(): void {
    if (fstatSync(this.fd).size <= MAX_BYTES) return;
    ftruncateSync(this.fd, 0);
    try {
      writeSync(this.fd, `[the first ${MAX_BYTES} bytes of output are not kept]\n`);
    } catch {} // a full disk: the output is cut all the same
  }

  close(): void {
    closeSync(this.fd);
  }
}

import { ERRORS, VerenError } from '../../contract/errors.ts';
import type { Failure, Phase } from '../../contract/record.ts';

/** The first cause of a build's end, as far as one phase knows it. */
export class PhaseFault extends Error {
  readonly error: VerenError;
  readonly exitCode: number | undefined;
  readonly lastLines: readonly string[];

  constructor(error: VerenError, exitCode?: number, lastLines: readonly string[] = []) {
    super(error.message, { cause: error });
    this.error = error;
    this.exitCode = exitCode;
    this.lastLines = lastLines;
  }
}

/** How programs say that the disk is full. */
export const DISK_FULL = /no space left on device|ENOSPC|disk quota exceeded|EDQUOT/i;

/** Anything that was thrown, as an error of the table; what has no row is a fault of the platform. */
export function asFault(thrown: unknown, fallback: (reason: string) => VerenError): PhaseFault {
  if (thrown instanceof PhaseFault) return thrown;
  if (thrown instanceof VerenError) return new PhaseFault(thrown);
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  // Another attempt would meet the same disk.
  if (DISK_FULL.test(reason)) return new PhaseFault(new VerenError('BUILD_DISK_FULL', { phase: 'current' }));
  return new PhaseFault(fallback(reason));
}

export function toFailure(fault: PhaseFault, phase: Phase, mask: (text: string) => string): Failure {
  return {
    code: fault.error.code,
    message: mask(fault.error.message),
    phase,
    ...(fault.exitCode !== undefined && { exitCode: fault.exitCode }),
    ...(fault.lastLines.length > 0 && { lastLines: [...fault.lastLines] }),
  };
}

export const exitCodeOf = (error: VerenError): number => ERRORS[error.code].exitCode ?? 1;

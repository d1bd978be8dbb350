import { ERRORS, VerenError } from '../../contract/errors.ts';
import type { Failure, Phase } from '../../contract/record.ts';

/** The failure of a phase: the first cause of a build's end. */
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

/** Messages of programs about a full disk. */
export const DISK_FULL = /no space left on device|ENOSPC|disk quota exceeded|EDQUOT/i;

/** Turns any exception into an error of the table; one without a row is a fault of the platform. */
export function asFault(thrown: unknown, fallback: (reason: string) => VerenError): PhaseFault {
  if (thrown instanceof PhaseFault) return thrown;
  if (thrown instanceof VerenError) return new PhaseFault(thrown);
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  // Another attempt would find the disk just as full.
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

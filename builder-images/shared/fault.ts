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

/** Anything that was thrown, as an error of the table; what has no row is a fault of the platform. */
export function asFault(thrown: unknown, fallback: (reason: string) => VerenError): PhaseFault {
  if (thrown instanceof PhaseFault) return thrown;
  if (thrown instanceof VerenError) return new PhaseFault(thrown);
  return new PhaseFault(fallback(thrown instanceof Error ? thrown.message : String(thrown)));
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

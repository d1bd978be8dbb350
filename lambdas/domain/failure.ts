import { type DetailArguments, describeError, type ErrorCode, VerenError } from '../../contract/errors.ts';
import type { Failure } from '../../contract/record.ts';

export const failure = <C extends ErrorCode>(code: C, ...details: DetailArguments<C>): Failure => ({
  code,
  message: describeError(code, ...details),
});

/** What users see of an error: the sentence of its row, or INTERNAL for an error without one. */
export const failureOf = (e: unknown): Failure =>
  e instanceof VerenError ? { code: e.code, message: e.message } : failure('INTERNAL');

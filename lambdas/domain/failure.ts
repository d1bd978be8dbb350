import { type DetailArguments, describeError, type ErrorCode, VerenError } from '../../contract/errors.ts';
import type { Failure } from '../../contract/record.ts';

export const failure = <C extends ErrorCode>(code: C, ...details: DetailArguments<C>): Failure => ({
  code,
  message: describeError(code, ...details),
});

/** What a user is told of an error: its row's sentence, or only that it was ours. */
export const failureOf = (e: unknown): Failure =>
  e instanceof VerenError ? { code: e.code, message: e.message } : failure('INTERNAL');

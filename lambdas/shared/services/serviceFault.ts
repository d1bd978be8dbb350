import type { ErrorCode, VerenError } from '../../../contract/errors.ts';
import type { Failure } from '../../../contract/record.ts';

/** What is wrong with a backend, with the last lines that it has written. */
export class ServiceFault extends Error {
  readonly failure: Failure;

  constructor(error: VerenError, lastLines: readonly string[]) {
    super(error.message, { cause: error });
    this.name = 'ServiceFault';
    this.failure = { code: error.code satisfies ErrorCode, message: error.message, lastLines: [...lastLines] };
  }
}

import type { Problem } from '../../contract/api.ts';

/** The platform answered with a problem (RFC 9457). The message holds its sentence and every faulty field. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    const fields = problem.errors?.map(({ field, message }) => `\n  ${field || 'body'}: ${message}`) ?? [];
    super((problem.detail || problem.title) + fields.join(''));
    this.name = 'ProblemError';
    this.problem = problem;
  }

  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }
}

/** There was no usable answer: nothing listens, the connection broke, or another server answered. */
export class UnreachableError extends Error {
  readonly reason: string;

  constructor(url: URL, reason: string, options?: ErrorOptions) {
    super(`No answer from Veren at ${url.origin}: ${reason}`, options);
    this.name = 'UnreachableError';
    this.reason = reason;
  }
}

/** The reason that `fetch` hides in `cause`: "connect ECONNREFUSED 127.0.0.1:3000" instead of "fetch failed". */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return networkReason(cause.errors[0]);
  return cause instanceof Error ? networkReason(cause) : error.message;
}

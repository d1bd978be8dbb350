/** An error as an AWS service answers it. Each protocol writes it in its own form (XML or JSON). */
export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;
  /** More members of the answer, e.g. `{ Key: … }` or `{ resourceIds: […] }`. */
  readonly members: Readonly<Record<string, string | readonly string[]>>;

  constructor(
    code: string,
    status: number,
    message: string,
    members: Readonly<Record<string, string | readonly string[]>> = {},
  ) {
    super(message);
    this.name = 'ServiceError';
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import type { Problem } from '../../../contract/api.ts';
import { type DetailArguments, ERRORS, type ErrorCode, VerenError } from '../../../contract/errors.ts';
import { isAwsOutage } from '../adapters/aws/awsOutage.ts';

/** The body of RFC 9457 for a row of the error table. @param correlationId The id under which the log has it. */
export function problemOf(error: VerenError, correlationId: string, errors?: Problem['errors']): Problem {
  return {
    type: `urn:veren:error:${error.code}`,
    title: titleOf(error.code),
    status: error.row.status ?? 500,
    detail: error.message,
    instance: `urn:veren:request:${correlationId}`,
    code: error.code,
    ...(errors && { errors }),
  };
}

/** The answer with it. */
export function answerProblem(c: Context, error: VerenError, errors?: Problem['errors']): Response {
  const body = problemOf(error, c.get('correlationId'), errors);
  if (body.status === 401) c.header('WWW-Authenticate', 'Bearer');
  if (body.status === 429 && error.details.seconds !== undefined)
    c.header('Retry-After', String(error.details.seconds));
  return c.json(body, body.status as ContentfulStatusCode, { 'Content-Type': 'application/problem+json' });
}

/** `REF_NOT_FOUND` → `Ref not found`. */
const titleOf = (code: ErrorCode) => code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ');

/** Every fault of a body, query or path at once. */
export function answerInvalid(c: Context, error: z.core.$ZodError): Response {
  const errors = error.issues.flatMap(faultsOf);
  return answerProblem(c, new VerenError('INVALID_REQUEST'), errors);
}

function faultsOf(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  const field = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ field: field ? `${field}.${key}` : key, message: 'is not a known field' }));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // Of a union only the branch whose faults are deepest is shown: the value fits that one best.
    const closest = issue.errors.reduce((a, b) => (depthOf(b) > depthOf(a) ? b : a));
    return closest.flatMap((inner) => faultsOf({ ...inner, path: [...issue.path, ...inner.path] }));
  }
  // For a bad name in a record, Zod has the fault one level deeper.
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ field, message }));
  return [{ field, message: issue.message }];
}

const depthOf = (issues: z.core.$ZodIssue[]) =>
  Math.max(...issues.map((i) => i.path.length + (i.code === 'unrecognized_keys' || i.code === 'custom' ? 1 : 0)));

/** Turns an exception of Hono or a handler into an answer. Clients see only errors with a row in the table. */
export function onError(c: Context, error: Error): Response {
  // The client has closed the connection, so there is nobody to answer and nothing to investigate.
  if (c.req.raw.signal.aborted) return answerProblem(c, new VerenError('REQUEST_INCOMPLETE'));
  if (error instanceof VerenError && error.row.status !== undefined) return answerProblem(c, error);
  if (error instanceof HTTPException && error.status === 400)
    return answerProblem(c, new VerenError('MALFORMED_JSON', { reason: error.message }));
  if ('$metadata' in error && isAwsOutage(error))
    return answerProblem(c, new VerenError('UNAVAILABLE', { reason: error.message }));
  return answerProblem(c, new VerenError('INTERNAL'));
}

/** @throws VerenError always */
export const failWith = <C extends ErrorCode>(code: C, ...details: DetailArguments<C>): never => {
  throw new VerenError(code, ...(details as DetailArguments<C, [ErrorOptions?]>));
};

/** What a request with a body that changes a project may be answered with, besides what is its own. */
export const changeFailures = [
  'INVALID_REQUEST',
  'MALFORMED_JSON',
  'UNAUTHORIZED',
  'NOT_FOUND',
  'PROJECT_DELETING',
  'BODY_TOO_LARGE',
] as const;

/** `responses` of a route: the codes that it can answer, grouped by status. */
export function problemResponses(schema: z.ZodType, ...codes: ErrorCode[]) {
  const byStatus: Record<
    number,
    { description: string; content: { 'application/problem+json': { schema: z.ZodType } } }
  > = {};
  for (const code of codes) {
    const status = ERRORS[code].status ?? 500;
    const description = byStatus[status] ? `${byStatus[status].description}, \`${code}\`` : `\`${code}\``;
    byStatus[status] = { description, content: { 'application/problem+json': { schema } } };
  }
  return byStatus;
}

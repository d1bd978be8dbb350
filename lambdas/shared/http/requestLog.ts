import { randomUUID } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { correlationIdOf } from '../../../contract/correlation.ts';
import { type Log, withLogFields } from '../logger.ts';
import type { ApiEnv } from './guard.ts';

/**
 * Gives each request its correlation id, the client's own where that is valid, answers it as `X-Request-Id` (problems have
 * it in `instance`) and puts it into every line that is logged meanwhile. What was answered with 5xx is logged with its cause.
 */
export const nameRequest =
  (log: Log): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const given = correlationIdOf(c.req.header('X-Request-Id'), c.req.header('traceparent'));
    const correlationId = given ?? randomUUID();
    c.set('correlationId', correlationId);
    await withLogFields({ correlationId, requestId: lambdaRequestId(c) }, async () => {
      await next();
      const { status } = c.res;
      if (status >= 500)
        log.error('A request could not be answered', {
          method: c.req.method,
          path: withoutSecret(c.req.path),
          status,
          ...(c.error && { error: c.error }),
        });
    });
    c.header('X-Request-Id', correlationId);
  };

/** The address of a deploy hook is the right to it. */
const withoutSecret = (path: string) => path.replace(/^(\/hooks\/deploy\/).+/, '$1...');

/** Behind API Gateway, Hono's adapter hands over what Lambda knows of the invocation. */
const lambdaRequestId = (c: Context) =>
  (c.env as { lambdaContext?: { awsRequestId?: string } } | undefined)?.lambdaContext?.awsRequestId;

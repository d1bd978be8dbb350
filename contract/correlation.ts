import { z } from 'zod';

/**
 * The id of the HTTP request that a deployment began with. The API answers it as `X-Request-Id` and in a problem's
 * `instance`; events, jobs and the record carry it, builders have it as CORRELATION_ID, and every log line about the
 * deployment has it as `correlationId`. A client may choose it, so it proves nothing; its form is safe in all these
 * places.
 */
export const CORRELATION_ID = /^[\w.:=-]{1,64}$/;
export const CorrelationIdSchema = z.string().regex(CORRELATION_ID);

/** `traceparent` of W3C Trace Context: version, trace id, parent id, flags. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** The id that a request brings, from `X-Request-Id` or the trace id of `traceparent`; undefined where neither is valid. */
export function correlationIdOf(
  requestId: string | null | undefined,
  traceparent: string | null | undefined,
): string | undefined {
  if (requestId && CORRELATION_ID.test(requestId)) return requestId;
  return traceparent ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
}

import { VerenError } from '../../../../contract/errors.ts';

interface ServiceFault {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** No connection, or one that broke: codes of the system (ECONNRESET), of Node's streams, and the SDK's own time limits. */
const NO_ANSWER = /\bE[A-Z]{4,}\b|\bERR_STREAM_|Timeout|^AbortError$/;
const THROTTLED = /Throttl|TooManyRequests|SlowDown|Timeout/;

/**
 * Whether a service of AWS could not be reached, could not answer or asks to come later; false for what is wrong with the
 * request, and for errors that are not the service's. Source: SDK for JavaScript v3, "Error handling": `$metadata` has no
 * status where no answer came.
 */
export function isAwsOutage(error: unknown): boolean {
  const { name, message, code, $metadata } = error as ServiceFault;
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) return status >= 500 || status === 429 || status === 408 || THROTTLED.test(name);
  const fromSystem = typeof code === 'string' && NO_ANSWER.test(code);
  return fromSystem || NO_ANSWER.test(name) || ($metadata !== undefined && NO_ANSWER.test(message));
}

/** An outage as UNAVAILABLE with the service's name; any other error as it is. */
export const asAwsOutage = (service: string, error: unknown): unknown =>
  isAwsOutage(error)
    ? new VerenError('UNAVAILABLE', { reason: `${service}: ${(error as Error).message}` }, { cause: error })
    : error;

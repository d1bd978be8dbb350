import type { IncomingMessage } from 'node:http';
import { readBody } from './body.ts';
import type { CredentialStore, Principal } from './credentials.ts';
import { ServiceError } from './serviceError.ts';
import { sha256Hex, verifySignature } from './sigv4.ts';

const MAX_BODY = 1024 * 1024;

/** Reads a request of the JSON or query protocol as a whole and verifies that its signature covers what was read. */
export async function readSignedBody(
  request: IncomingMessage,
  options: { service: string; credentials: CredentialStore; now: number },
): Promise<{ body: Buffer; principal: Principal }> {
  if (request.method !== 'POST' || request.url !== '/')
    throw new ServiceError('InvalidAction', 400, 'Only POST / is known here.');
  const body = await readBody(request, MAX_BODY);
  const actual = sha256Hex(body);
  const { method, url, headers } = request;
  const { principal, payloadHash } = verifySignature({ method, url, headers }, { ...options, payloadHash: actual });
  if (payloadHash !== actual)
    throw new ServiceError('SignatureDoesNotMatch', 403, 'The signed hash is not that of the body.');
  return { body, principal };
}

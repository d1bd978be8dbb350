import { randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { type CredentialStore, LOCAL_ACCOUNT, type Principal } from '../awsProtocol/credentials.ts';
import { type Endpoint, listenOnLoopback } from '../awsProtocol/listen.ts';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import { readSignedBody } from '../awsProtocol/signedBody.ts';
import { type XmlNode, xmlDocument } from '../awsProtocol/xml.ts';
import { assumeRole } from './assumeRole.ts';

export interface StsEndpointOptions {
  readonly port?: number;
  readonly credentials: CredentialStore;
  readonly clock?: Clock;
  readonly onError?: (error: unknown) => void;
  /** For tests: called before each operation, with the number of its calls so far (from 1); what it returns is the answer. */
  readonly fault?: (operation: string, n: number) => ServiceError | undefined;
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** AssumeRole and GetCallerIdentity of STS, in its query protocol. */
export async function startStsEndpoint(options: StsEndpointOptions): Promise<Endpoint> {
  const { credentials, clock = { now: Date.now } } = options;
  const calls = new Map<string, number>();

  async function answerRequest(
    request: Parameters<typeof readSignedBody>[0],
  ): Promise<{ action: string; result: XmlNode }> {
    const { body, principal } = await readSignedBody(request, { service: 'sts', credentials, now: clock.now() });
    const parameters = new URLSearchParams(body.toString('utf8'));
    const action = parameters.get('Action') ?? '';
    const n = (calls.get(action) ?? 0) + 1;
    calls.set(action, n);
    const fault = options.fault?.(action, n);
    if (fault) throw fault;
    if (action === 'AssumeRole') return { action, result: assumeRole(parameters, principal, credentials) };
    if (action === 'GetCallerIdentity') return { action, result: callerIdentity(principal) };
    throw new ServiceError('InvalidAction', 400, `Could not find operation ${action}`);
  }

  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    answerRequest(request).then(
      ({ action, result }) => {
        const metadata = { RequestId: randomUUID() };
        sendAnswer(
          response,
          200,
          xmlDocument(`${action}Response`, { [`${action}Result`]: result, ResponseMetadata: metadata }, NAMESPACE),
        );
      },
      (error) => {
        if (!(error instanceof ServiceError)) options.onError?.(error);
        const { code, status, message } =
          error instanceof ServiceError
            ? stsError(error)
            : new ServiceError('InternalFailure', 500, 'An internal error occurred.');
        const fault = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
        sendAnswer(
          response,
          status,
          xmlDocument('ErrorResponse', { Error: fault, RequestId: randomUUID() }, NAMESPACE),
        );
      },
    );
  });
  return listenOnLoopback(server, options.port);
}

function sendAnswer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'text/xml', 'Content-Length': Buffer.byteLength(body) }).end(body);
}

const callerIdentity = (principal: Principal): XmlNode => ({
  Arn: principal.arn,
  UserId: principal.accessKeyId,
  Account: LOCAL_ACCOUNT,
});

/** The common faults have other names here than in S3. Source: STS API reference, "Common errors". */
function stsError(error: ServiceError): ServiceError {
  const renamed: Record<string, [string, number]> = {
    InvalidAccessKeyId: ['InvalidClientTokenId', 403],
    InvalidToken: ['InvalidClientTokenId', 403],
    ExpiredToken: ['ExpiredToken', 403],
    AuthorizationHeaderMalformed: ['IncompleteSignature', 400],
  };
  const [code, status] = renamed[error.code] ?? [error.code, error.status];
  return new ServiceError(code, status, error.message);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { VerenError } from '../../contract/errors.ts';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import type { LocalServices } from '../services/localServices.ts';
import { proxyRequest } from '../services/proxy.ts';
import { endUpgrade, proxyUpgrade } from '../services/upgrade.ts';
import { sendPage } from './pages.ts';

export type ServiceProxy = Pick<LocalServices, 'lease' | 'countRequest'>;

/** The version of a backend that a request is for. */
export interface Backend {
  readonly services: ServiceProxy;
  readonly projectId: string;
  readonly version: string;
  /** Of the preview that it belongs to: its code does not learn what opens it. */
  readonly protection: SiteRoute['protection'];
}

const RETRY = { 'retry-after': '1' };

/** Answers with what the service answers. Wakes it where it does not run. */
export async function answerFromService(
  { services, projectId, version, protection }: Backend,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const began = performance.now();
  // It is the service's to set: its answers are not those of a site.
  response.removeHeader('x-content-type-options');
  let failed = true;
  try {
    const lease = await services.lease(projectId, version);
    if (!lease) return sendPage(response, 404, 'There is no such service, or it is not kept any more.');
    const { status, failure } = await proxyRequest(lease, request, response, protection).finally(() => lease.release());
    failed = status >= 500;
    if (failure === 'timeout')
      sendPage(response, 504, `The service did not answer within ${lease.timeoutMs / 1_000} s.`);
    else if (failure === 'unreachable') sendPage(response, 502, 'The service has ended before it answered.', RETRY);
  } catch (error) {
    if (!(error instanceof VerenError) || response.headersSent) throw error;
    sendPage(response, 503, 'The service does not run at the moment. Its log says why.', RETRY);
  } finally {
    services.countRequest(projectId, performance.now() - began, failed);
  }
}

/** Connects a WebSocket with the service. */
export async function upgradeToService(
  { services, projectId, version, protection }: Backend,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const lease = await services.lease(projectId, version);
  if (!lease) return endUpgrade(socket, '404 Not Found');
  const { failure } = await proxyUpgrade(lease, request, socket, head, protection).finally(() => lease.release());
  if (failure !== undefined) endUpgrade(socket, failure === 'timeout' ? '504 Gateway Timeout' : '502 Bad Gateway');
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  buildDashboard,
  DASHBOARD_PATH,
  type Dashboard,
  type DashboardFile,
  LAPTOP_PLACES,
} from '../../dashboard/build.ts';
import { EXAMPLE } from '../example.ts';
import { SESSION_PATH, type StartCode } from './startCode.ts';

/** Answers a request for the dashboard; false where it is for the API. */
export type ServeDashboard = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface ServedDashboard {
  readonly serve: ServeDashboard;
  /** Resolves when it has been bundled. */
  readonly ready: Promise<unknown>;
}

/**
 * The dashboard below `/dashboard`, and a way there from `/`. It is bundled at the start, beside everything else, so
 * that nothing is built at the installation and nothing old is ever served.
 */
export function openDashboard(startCode: StartCode, onError: (error: unknown) => void): ServedDashboard {
  const built = buildDashboard({ ...LAPTOP_PLACES, example: EXAMPLE });
  const ready = built.catch(onError);
  return {
    ready,
    serve(request, response) {
      const path = pathOf(request.url ?? '/');
      if (path === '/' && isRead(request)) {
        response.writeHead(302, { Location: `${DASHBOARD_PATH}/`, 'Cache-Control': 'no-store' }).end();
        return true;
      }
      if (path !== DASHBOARD_PATH && !path.startsWith(`${DASHBOARD_PATH}/`)) return false;
      if (path === SESSION_PATH) startCode.answer(request, response);
      else if (!isRead(request)) response.writeHead(405, { Allow: 'GET, HEAD' }).end();
      else
        built.then(
          (dashboard) => sendFile(request, response, findFile(dashboard, path.slice(DASHBOARD_PATH.length))),
          () => response.writeHead(500, { 'Content-Type': 'text/plain' }).end('The dashboard could not be built.\n'),
        );
      return true;
    },
  };
}

/** Every other path is a page's address, which the script in the page reads. */
function findFile({ page, assets }: Dashboard, path: string): DashboardFile | undefined {
  return path.startsWith('/assets/') ? assets.find((asset) => asset.path === path) : page;
}

export function sendFile(request: IncomingMessage, response: ServerResponse, file: DashboardFile | undefined): void {
  if (!file) {
    // An asset of an earlier start: the open page is to be loaded again.
    response
      .writeHead(404, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' })
      .end('There is no such file.\n');
    return;
  }
  const headers = { ...file.headers, Vary: 'Accept-Encoding' };
  if (request.headers['if-none-match'] === file.headers.ETag) {
    response.writeHead(304, headers).end();
    return;
  }
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = zipped ? file.gzipped : file.body;
  response.writeHead(200, {
    ...headers,
    'Content-Type': file.type,
    'Content-Length': body.length,
    ...(zipped && { 'Content-Encoding': 'gzip' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Split without a URL parser, for which `//evil/x` would be a path of another host. */
export const pathOf = (target: string): string => target.replace(/[?#].*$/s, '');
export const isRead = ({ method }: IncomingMessage) => method === 'GET' || method === 'HEAD';

import { buildReference, REFERENCE_PATH } from '../../dashboard/reference/buildReference.ts';
import { lazyAsync } from '../../lambdas/shared/once.ts';
import { isRead, pathOf, type ServeDashboard, sendFile } from './serveDashboard.ts';

/** The API's reference page at `/docs`. It is made when it is first asked for, since most starts never are. */
export function openReference(onError: (error: unknown) => void): ServeDashboard {
  const made = lazyAsync(buildReference);
  return (request, response) => {
    const path = pathOf(request.url ?? '/');
    if (path !== REFERENCE_PATH && !path.startsWith(`${REFERENCE_PATH}/`)) return false;
    if (!isRead(request)) response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    else
      made().then(
        ({ page, assets }) =>
          sendFile(request, response, /^\/docs\/?$/.test(path) ? page : assets.find((asset) => asset.path === path)),
        (error: unknown) => {
          onError(error);
          response.writeHead(500, { 'Content-Type': 'text/plain' }).end('The page could not be made.\n');
        },
      );
    return true;
  };
}

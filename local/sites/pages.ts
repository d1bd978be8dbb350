import type { ServerResponse } from 'node:http';

/** A page of the server itself. Its text is fixed and contains nothing of the request. */
export function sendPage(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${text}</title><style>body{font:1rem system-ui;margin:20vh auto;max-width:30rem;text-align:center}</style><h1>${status}</h1><p>${text}</p></html>\n`;
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(body);
}

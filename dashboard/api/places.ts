/** Where the platform is, as the page was told when it was built (`Places` of `build.ts`). */
interface Addresses {
  readonly api: string;
  readonly socket: string;
  readonly logs?: string;
  readonly example?: { readonly projectId: string; readonly gitUrl: string; readonly path: string };
}

const told = document.querySelector<HTMLMetaElement>('meta[name="veren-places"]')?.content;
const { api, socket, logs = api, ...rest }: Addresses = told ? JSON.parse(told) : { api: '', socket: '/ws' };

export const apiUrl = (path: string): string => api + path;
/** Where the log of a deployment is followed. */
export const logUrl = (path: string): string => logs + path;
export const socketUrl = (ticket: string): string => {
  const url = new URL(socket, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.searchParams.set('ticket', ticket);
  return url.href;
};

/** What the platform suggests to deploy first; undefined where it suggests nothing. */
export const { example } = rest;

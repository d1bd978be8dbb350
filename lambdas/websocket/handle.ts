import { VerenError } from '../../contract/errors.ts';
import { type Caller, mayUseProject } from '../../contract/people.ts';
import {
  type ClientMessage,
  ClientMessageSchema,
  type ServerMessage,
  SNAPSHOT_LIMIT,
} from '../../contract/websocket.ts';
import { type Authenticate, bearerToken } from '../shared/http/auth.ts';
import type { DeploymentStore, Notifier, Subject, Subscriptions, Tickets } from '../shared/ports.ts';
import { deploymentSnapshot, listSnapshot } from '../shared/webSocketMessages.ts';

export interface WebSocketDeps {
  readonly authenticate: Authenticate;
  readonly store: DeploymentStore;
  readonly subscriptions: Subscriptions;
  readonly notifier: Notifier;
  readonly tickets: Tickets;
}

/** The part of API Gateway's WebSocket event that is used here; the laptop's server sends the same. */
export interface WebSocketEvent {
  readonly requestContext: { readonly routeKey: string; readonly connectionId: string };
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly body?: string | null;
}

/** Handles one event. A status other than 200 at `$connect` refuses the connection. */
export async function handleWebSocket(deps: WebSocketDeps, event: WebSocketEvent): Promise<{ statusCode: number }> {
  const { routeKey, connectionId } = event.requestContext;
  if (routeKey === '$connect') return openConnection(deps, connectionId, event);
  if (routeKey === '$disconnect') {
    await deps.subscriptions.disconnect(connectionId);
    return { statusCode: 200 };
  }
  for (const message of await receiveMessage(deps, connectionId, event.body ?? ''))
    if ((await deps.notifier.send(connectionId, message)) === 'gone') {
      await deps.subscriptions.disconnect(connectionId);
      break;
    }
  return { statusCode: 200 };
}

/**
 * Programs send the token in the header. Browsers cannot, so they get a ticket (`POST /tickets`) and connect with
 * `?ticket=`. The token itself as `?token=` is still accepted, for clients without tickets, though it may end up in
 * logs.
 */
async function openConnection(deps: WebSocketDeps, connectionId: string, event: WebSocketEvent) {
  const header = Object.entries(event.headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  const { ticket, token: tokenInUrl } = event.queryStringParameters ?? {};
  const token = bearerToken(header) ?? tokenInUrl;
  const caller = ticket ? await deps.tickets.redeem(ticket) : token ? await deps.authenticate(token) : null;
  if (!caller) return { statusCode: 401 };
  await deps.subscriptions.connect(connectionId, caller);
  return { statusCode: 200 };
}

/** The messages to answer with, in order. */
async function receiveMessage(deps: WebSocketDeps, connectionId: string, body: string): Promise<string[]> {
  const message = parseMessage(body);
  if (!message)
    return toMessages({
      type: 'error',
      code: 'INVALID_REQUEST',
      message: 'Send {"action":"subscribe","deploymentId":"…"} or {"action":"subscribe","projectId":"…"}.',
    });
  const caller = await deps.subscriptions.callerOf(connectionId);
  if (!caller) return errorMessages(new VerenError('UNAUTHORIZED'));
  return subscribeConnection(deps, connectionId, caller, message);
}

function parseMessage(body: string): ClientMessage | null {
  try {
    return ClientMessageSchema.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    return null;
  }
}

/** Subscribes before it reads: a change in between is then seen twice rather than missed. */
async function subscribeConnection(
  deps: WebSocketDeps,
  connectionId: string,
  caller: Caller,
  message: ClientMessage,
): Promise<string[]> {
  const { owner } = caller;
  if ('deploymentId' in message) {
    const { deploymentId } = message;
    const known = await deps.store.get(deploymentId);
    if (known?.record.owner !== owner || !mayUseProject(caller, known.record.projectId))
      return errorMessages(notFound(`deployment "${deploymentId}"`));
    await deps.subscriptions.subscribe(connectionId, `deployment:${deploymentId}` satisfies Subject);
    const record = (await deps.store.get(deploymentId))?.record ?? known.record;
    return [deploymentSnapshot(deploymentId, record)];
  }
  const { projectId } = message;
  if (!mayUseProject(caller, projectId) || (await deps.store.projectOwner(projectId)) !== owner)
    return errorMessages(notFound(`project "${projectId}"`));
  await deps.subscriptions.subscribe(connectionId, `project:${projectId}` satisfies Subject);
  const { items } = await deps.store.list({ owner, projectId, limit: SNAPSHOT_LIMIT });
  return listSnapshot({ projectId }, items);
}

const notFound = (what: string) => new VerenError('NOT_FOUND', { what });
const toMessages = (message: ServerMessage): string[] => [JSON.stringify(message)];
const errorMessages = (e: VerenError): string[] => toMessages({ type: 'error', code: e.code, message: e.message });

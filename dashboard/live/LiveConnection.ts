import type { Ticket } from '../../contract/api.ts';
import type { ClientMessage, ServerMessage } from '../../contract/websocket.ts';
import { callApi } from '../api/callApi.ts';
import { socketUrl } from '../api/places.ts';
import { type Shared, shareValue } from '../ui/shareValue.ts';

/** What can be listened to: one deployment, or all of a project's with its releases. */
export type LiveSubject = `deployment/${string}` | `project/${string}`;
type Listener = (message: ServerMessage) => void;

/** `live`: changes come by themselves. `away`: the connection is being made again, and who shows something polls. */
export type LiveState = 'live' | 'connecting' | 'away';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/**
 * One WebSocket for all that the page shows, made again whenever it breaks. A subscription is answered with the present
 * state, so what has changed in between is told, too.
 */
export class LiveConnection {
  readonly state: Shared<LiveState> = shareValue<LiveState>('connecting');
  readonly #listeners = new Map<LiveSubject, Set<Listener>>();
  #socket: WebSocket | null = null;
  #connecting = false;
  #pause = FIRST_PAUSE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    // A laptop that wakes up, or a network that is back, need not wait for the pause to end.
    addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#hurry());
  }

  /** @returns what ends the listening */
  listen(subject: LiveSubject, listener: Listener): () => void {
    const known = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, known.add(listener));
    if (this.#socket?.readyState === WebSocket.OPEN) {
      if (known.size === 1) this.#socket.send(subscription(subject));
    } else void this.#connect();
    return () => {
      known.delete(listener);
      if (known.size === 0) this.#listeners.delete(subject);
      if (this.#listeners.size === 0) this.#close();
    };
  }

  async #connect(): Promise<void> {
    if (this.#connecting || this.#socket) return;
    this.#connecting = true;
    clearTimeout(this.#timer);
    try {
      const { ticket } = await callApi<Ticket>('POST', '/tickets');
      if (this.#listeners.size > 0) this.#open(new WebSocket(socketUrl(ticket)));
    } catch {
      this.#connectLater();
    } finally {
      this.#connecting = false;
    }
  }

  #open(socket: WebSocket): void {
    this.#socket = socket;
    socket.onopen = () => {
      this.#pause = FIRST_PAUSE_MS;
      this.state.set('live');
      for (const subject of this.#listeners.keys()) socket.send(subscription(subject));
    };
    socket.onmessage = ({ data }) => this.#dispatch(JSON.parse(String(data)) as ServerMessage);
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#connectLater();
    };
  }

  #dispatch(message: ServerMessage): void {
    for (const subject of subjectsOf(message))
      for (const listener of this.#listeners.get(subject) ?? []) listener(message);
  }

  #connectLater(): void {
    if (this.#listeners.size === 0) return;
    this.state.set('away');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  #hurry(): void {
    if (this.state.get() !== 'away' || this.#listeners.size === 0) return;
    this.#pause = FIRST_PAUSE_MS;
    void this.#connect();
  }

  #close(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.state.set('connecting');
  }
}

function subscription(subject: LiveSubject): string {
  const [kind, id = ''] = subject.split('/');
  const message: ClientMessage =
    kind === 'project' ? { action: 'subscribe', projectId: id } : { action: 'subscribe', deploymentId: id };
  return JSON.stringify(message);
}

function subjectsOf(message: ServerMessage): LiveSubject[] {
  switch (message.type) {
    case 'snapshot':
      if (message.projectId !== undefined) return [`project/${message.projectId}`];
      return message.deploymentId === undefined ? [] : [`deployment/${message.deploymentId}`];
    case 'deployment':
      return [`deployment/${message.record.deploymentId}`, `project/${message.record.projectId}`];
    case 'release':
      return [`project/${message.projectId}`];
    default:
      return [];
  }
}

export const liveConnection = new LiveConnection();

import { handleWebSocket, type WebSocketDeps, type WebSocketEvent } from './handle.ts';

export type WebSocketHandler = (event: WebSocketEvent) => Promise<{ statusCode: number }>;

export const composeWebSocket =
  (ports: WebSocketDeps): WebSocketHandler =>
  (event) =>
    handleWebSocket(ports, event);

import type { Notifier } from '../../ports.ts';
import type { PushCalls } from './clients.ts';

/** Sends through the management API of the WebSocket API that the client's endpoint names. */
export function apiGatewayNotifier(client: PushCalls): Notifier {
  return {
    async send(connectionId, message) {
      const { PostToConnectionCommand } = await import('@aws-sdk/client-apigatewaymanagementapi');
      try {
        await client.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: Buffer.from(message) }));
        return 'sent';
      } catch (e) {
        if ((e as Error).name === 'GoneException' || isUnknownId(e)) return 'gone';
        throw e;
      }
    },
  };
}

/**
 * API Gateway answers 400 instead of 410 for an id that it cannot read, with an exception that the SDK does not model.
 */
const isUnknownId = (e: unknown) =>
  (e as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 400 &&
  (e as Error).message.includes('connectionId');

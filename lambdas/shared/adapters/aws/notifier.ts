import {
  type ApiGatewayManagementApiClient,
  ApiGatewayManagementApiServiceException,
  GoneException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { Notifier } from '../../ports.ts';

/** Sends through the management API of the WebSocket API that the client's endpoint names. */
export function apiGatewayNotifier(client: ApiGatewayManagementApiClient): Notifier {
  return {
    async send(connectionId, message) {
      try {
        await client.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: Buffer.from(message) }));
        return 'sent';
      } catch (e) {
        if (e instanceof GoneException || isUnknownId(e)) return 'gone';
        throw e;
      }
    },
  };
}

/**
 * API Gateway answers 400 instead of 410 for an id that it cannot read, with an exception that the SDK does not model.
 */
const isUnknownId = (e: unknown) =>
  e instanceof ApiGatewayManagementApiServiceException &&
  e.$metadata.httpStatusCode === 400 &&
  e.message.includes('connectionId');

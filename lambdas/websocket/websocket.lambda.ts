import { openPush } from '../shared/adapters/aws/clients.ts';
import { apiGatewayNotifier } from '../shared/adapters/aws/notifier.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog, withRequestId } from '../shared/logger.ts';
import { lazyAsync } from '../shared/once.ts';
import { openRedis } from '../shared/openRedis.ts';
import type { WebSocketEvent } from './handle.ts';

const env = readEnv('websocket');
const log = jsonLog('websocket');

const webSocket = lazyAsync(async () => {
  const [{ store, subscriptions, tickets }, { composeWebSocket }, { openAuthentication }] = await Promise.all([
    openRedis(env, log),
    import('./compose.ts'),
    import('../shared/people/openAuthentication.ts'),
  ]);
  return composeWebSocket({
    store,
    subscriptions,
    tickets,
    authenticate: openAuthentication(env),
    notifier: apiGatewayNotifier(openPush(env.WEBSOCKET_CALLBACK_URL)),
  });
});

export const handler = withRequestId(async (event: WebSocketEvent): Promise<{ statusCode: number }> => {
  const { routeKey, connectionId } = event.requestContext;
  const answer = await (await webSocket())(event);
  // The access log of the WebSocket API: API Gateway writes none without a role for the whole account.
  log.info('A WebSocket event was handled', { route: routeKey, connectionId, status: answer.statusCode });
  return answer;
});

import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { apiGatewayNotifier } from '../../lambdas/shared/adapters/aws/notifier.ts';
import type { Notifier } from '../../lambdas/shared/ports.ts';
import { memoryNotifier } from '../../local/adapters/memory/notifier.ts';
import { httpDouble } from '../support/httpDouble.ts';

interface Opened {
  readonly notifier: Notifier;
  connect(connectionId: string): void;
  disconnect(connectionId: string): void;
  /** Messages that reached a connection. */
  received(connectionId: string): string[];
  close(): Promise<void>;
}

const adapters: Record<string, () => Promise<Opened>> = {
  async memory() {
    const notifier = memoryNotifier();
    const got = new Map<string, string[]>();
    const detach = new Map<string, () => void>();
    return {
      notifier,
      connect(id) {
        got.set(id, []);
        detach.set(
          id,
          notifier.attach(id, (m) => void got.get(id)?.push(m)),
        );
      },
      disconnect: (id) => detach.get(id)?.(),
      received: (id) => got.get(id) ?? [],
      close: async () => {},
    };
  },

  async 'API Gateway'() {
    const connections = new Map<string, string[]>();
    const got = new Map<string, string[]>();
    const endpoint = await httpDouble(({ method, url, body }) => {
      const id = decodeURIComponent(/^\/prod\/@connections\/(.+)$/.exec(decodeURIComponent(url))?.[1] ?? '');
      if (method !== 'POST' || id === '') return { status: 404 };
      const error = (status: number, type: string, message: string) => ({
        status,
        headers: { 'x-amzn-errortype': type, 'content-type': 'application/json' },
        body: JSON.stringify({ message }),
      });
      if (id === 'malformed') return error(400, 'BadRequestException', 'Invalid connectionId: malformed');
      if (id === 'refused') return error(403, 'ForbiddenException', 'Forbidden');
      const messages = connections.get(id);
      if (!messages) return error(410, 'GoneException', '');
      messages.push(body);
      return { status: 200 };
    });
    const client = new ApiGatewayManagementApiClient({
      endpoint: `${endpoint.url}/prod`,
      region: 'ap-south-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 's' },
      maxAttempts: 1,
    });
    return {
      notifier: apiGatewayNotifier(client),
      connect(id) {
        got.set(id, []);
        connections.set(id, got.get(id)!);
      },
      disconnect: (id) => void connections.delete(id),
      received: (id) => got.get(id) ?? [],
      async close() {
        client.destroy();
        await endpoint.close();
      },
    };
  },
};

describe.each(Object.entries(adapters))('Notifier on %s', (name, open) => {
  let opened: Opened;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  test('a message reaches its connection as it is', async () => {
    opened.connect('a=b/c');
    opened.connect('other');
    const message = JSON.stringify({ text: 'ü "q" \u2028' });
    expect(await opened.notifier.send('a=b/c', message)).toBe('sent');
    expect(await opened.notifier.send('a=b/c', 'two')).toBe('sent');
    expect(opened.received('a=b/c')).toEqual([message, 'two']);
    expect(opened.received('other')).toEqual([]);
  });

  test('a connection that was closed, or never was, is gone', async () => {
    opened.connect('a');
    opened.disconnect('a');
    expect(await opened.notifier.send('a', 'one')).toBe('gone');
    expect(await opened.notifier.send('never', 'one')).toBe('gone');
    expect(await opened.notifier.send('malformed', 'one')).toBe('gone');
    expect(opened.received('a')).toEqual([]);
  });

  if (name === 'API Gateway') {
    test('another fault is not taken for a connection that is gone', async () => {
      await expect(opened.notifier.send('refused', 'one')).rejects.toMatchObject({ name: 'ForbiddenException' });
    });
  }
});

import type { Notifier } from '../../../lambdas/shared/ports.ts';

export interface MemoryNotifier extends Notifier {
  /** Adds a connection. @returns the function that removes it */
  attach(connectionId: string, send: (message: string) => void | Promise<void>): () => void;
}

/** Hands messages to the connections of this process. */
export function memoryNotifier(): MemoryNotifier {
  const connections = new Map<string, (message: string) => void | Promise<void>>();
  return {
    attach(connectionId, send) {
      connections.set(connectionId, send);
      return () => {
        if (connections.get(connectionId) === send) connections.delete(connectionId);
      };
    },
    async send(connectionId, message) {
      const send = connections.get(connectionId);
      if (!send) return 'gone';
      await send(message);
      return 'sent';
    },
  };
}

import type { Caller } from '../../../contract/people.ts';
import type { Subject, Subscriptions } from '../../../lambdas/shared/ports.ts';

interface Connection {
  readonly caller: Caller;
  readonly subjects: Set<Subject>;
}

/** Subscriptions of connections. Not in the journal, since connections end with the process. */
export function memorySubscriptions(): Subscriptions {
  const connections = new Map<string, Connection>();
  const listeners = new Map<Subject, Set<string>>();
  return {
    async connect(connectionId, caller) {
      const known = connections.get(connectionId);
      connections.set(connectionId, { caller, subjects: known?.subjects ?? new Set() });
    },
    async callerOf(connectionId) {
      return connections.get(connectionId)?.caller ?? null;
    },
    async subscribe(connectionId, subject) {
      const connection = connections.get(connectionId);
      if (!connection) return;
      connection.subjects.add(subject);
      listeners.set(subject, (listeners.get(subject) ?? new Set()).add(connectionId));
    },
    async subscribers(subjects) {
      return [...new Set(subjects.flatMap((s) => [...(listeners.get(s) ?? [])]))];
    },
    async disconnect(connectionId) {
      for (const subject of connections.get(connectionId)?.subjects ?? []) {
        const left = listeners.get(subject);
        left?.delete(connectionId);
        if (left?.size === 0) listeners.delete(subject);
      }
      connections.delete(connectionId);
    },
  };
}

import type { DeploymentEvent, LogBatch } from '../../contract/events.ts';
import { type Read, readMessage } from '../../lambdas/event-projector/readMessage.ts';
import { UNSIGNED_GRACE_MS } from '../../lambdas/event-projector/unsigned.ts';
import type { Signing } from '../../lambdas/shared/signing.ts';
import type { KeptMessage } from './readTopics.ts';

/**
 * Reads the messages in Kafka, which may be older than signing. Their writers set their times, but the broker sets
 * their offsets: so an unsigned message counts only if it stands in its partition before the first signed one with a
 * time after the change.
 */
export function historyReader(signing: Signing, now: () => number): (message: KeptMessage) => Read {
  const closed = new Set<string>();
  return (message) => {
    const partition = `${message.topic}-${message.partition}`;
    // Judged by the time at which they came, since unsigned messages are no longer accepted now.
    const atThatTime = message.mac === '' && !closed.has(partition) ? Math.min(now(), signing.since) : now();
    const read = readMessage(message, signing, atThatTime);
    if (!('message' in read)) return read;
    const at = Date.parse(timeOf(read.message));
    const change = signing.since + UNSIGNED_GRACE_MS;
    if (read.kind === 'unsigned' || read.kind === 'unsigned logs') {
      const { deploymentId } = read.message;
      const until = 'type' in read.message && read.message.type === 'deployment.requested' ? signing.since : change;
      return at > until ? { kind: 'refused', reason: 'it is not signed', deploymentId } : read;
    }
    if (at > change) closed.add(partition);
    return read;
  };
}

const timeOf = (message: DeploymentEvent | LogBatch): string =>
  'lines' in message ? (message.lines[0]?.at ?? '') : message.at;

import { setTimeout as sleep } from 'node:timers/promises';
import type { MSKEvent } from 'aws-lambda';
import type { EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { VerenError } from '../../../contract/errors.ts';
import type { Topic } from '../../../contract/names.ts';
import { doneOf, firstBatch, type KafkaBatchResponse, lambdaEvent } from './lambdaEvent.ts';

const PAUSE_MS = { first: 200, most: 10_000 };
const HEARTBEAT_MS = 3_000;

export interface ConsumeOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly Topic[];
  /** The function's handler. One call at a time per partition; a rejection fails the whole batch. */
  readonly handler: (event: MSKEvent) => Promise<KafkaBatchResponse | undefined | null>;
  /** Named in the events. */
  readonly source?: { arn: string; brokers: string };
  /** Called with failures of handlers and faults of the group; both are tried again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Feeds a handler as Lambda's Kafka event source does, from a consumer group: batches of one partition, in order, at
 * least once. Messages that a batch reports as failed are delivered again, after growing pauses; the offset of handled
 * ones is committed. Resolves when the group has been joined, with a function that leaves it after running batches are
 * committed.
 * @throws VerenError UNAVAILABLE where no broker answers at the start
 */
export async function consumeAsLambda(options: ConsumeOptions): Promise<() => Promise<void>> {
  const { kafka, groupId, topics, onError } = options;
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 10_000,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: 100,
    retry: { restartOnFailure: async () => true },
  });
  const stop = new AbortController();
  consumer.on(consumer.events.CRASH, ({ payload }) => onError(payload.error));
  const joined = new Promise<void>((resolve) => {
    const off = consumer.on(consumer.events.GROUP_JOIN, () => {
      off();
      resolve();
    });
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  } catch (e) {
    await consumer.disconnect().catch(() => {});
    throw new VerenError('UNAVAILABLE', { reason: 'Kafka cannot be reached' }, { cause: e });
  }
  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    for (let from = 0; from < messages.length; ) {
      const rest = firstBatch(messages.slice(from));
      const done = await handleBatch(options, payload, rest, stop.signal);
      from += done;
      const last = messages[from - 1];
      if (done > 0 && last) {
        payload.resolveOffset(last.offset);
        const offset = String(BigInt(last.offset) + 1n);
        await consumer.commitOffsets([{ topic, partition, offset }]);
      }
      if (done < rest.length) return; // stopped, or the partition is another's now
    }
  }
  const atWork = new Set<Promise<void>>();
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 8,
    eachBatch: async (payload) => {
      const batch = eachBatch(payload);
      atWork.add(batch);
      await batch.finally(() => atWork.delete(batch));
    },
  });
  await joined;
  return async () => {
    stop.abort();
    // kafkajs waits for running batches too, but drops their commits after `stop` was called.
    await Promise.allSettled(atWork);
    await consumer.disconnect();
  };
}

/**
 * Gives messages to the handler until all are handled. @returns how many were handled, where it had to end before that
 * @throws the error of a heartbeat, such as a rebalance that this member has to join
 */
async function handleBatch(
  { handler, source, onError }: ConsumeOptions,
  { batch: { topic, partition }, heartbeat, isRunning, isStale }: EachBatchPayload,
  messages: readonly KafkaMessage[],
  stop: AbortSignal,
): Promise<number> {
  const lost = new AbortController();
  const beat = setInterval(() => void heartbeat().catch((e) => lost.abort(e)), HEARTBEAT_MS);
  const signal = AbortSignal.any([stop, lost.signal]);
  try {
    let done = 0;
    for (let failures = 0; ; failures++) {
      if (stop.aborted || !isRunning() || isStale()) return done;
      const rest = messages.slice(done);
      const event = lambdaEvent(topic, partition, rest, source ?? { arn: 'arn:veren:kafka', brokers: '' });
      try {
        const more = doneOf(topic, partition, rest, await handler(event));
        if (more > 0) failures = 0;
        done += more;
      } catch (e) {
        onError(e);
      }
      if (done === messages.length) return done;
      await sleep(Math.min(PAUSE_MS.first * 2 ** failures, PAUSE_MS.most), undefined, { signal }).catch(() => {});
      // Messages that are handled but not committed are delivered again to the next member with the partition.
      if (lost.signal.aborted) throw lost.signal.reason;
    }
  } finally {
    clearInterval(beat);
  }
}

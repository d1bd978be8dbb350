import { KAFKA_ERROR, KafkaError, type KafkaErrorCode } from './errorCodes.ts';
import { decodeRecordBatch, type KafkaMessage, type RecordBatch } from './recordBatch.ts';
import type { WireReader, WireWriter } from './wire.ts';

export interface TopicLog {
  /** Resolves when the messages are durable. */
  append(topic: string, messages: readonly KafkaMessage[]): Promise<void>;
  has(topic: string): boolean;
}

interface PartitionResult {
  readonly partition: number;
  readonly code: KafkaErrorCode;
  readonly baseOffset: bigint;
}

const MAX_PRODUCERS = 10_000;

/** Produce, versions 3 to 7: appends to topics of one partition each. */
export class ProduceApi {
  readonly #log: TopicLog;
  readonly #offsets = new Map<string, bigint>();
  /** By producer and topic: the sequence number that comes next, and the offset of the newest batch. */
  readonly #sequences = new Map<string, { next: number; baseOffset: bigint }>();

  constructor(log: TopicLog) {
    this.#log = log;
  }

  /** False where the producer wants no answer (acks = 0). */
  async answer(request: WireReader, response: WireWriter, version: number, fault?: KafkaErrorCode): Promise<boolean> {
    request.nullableString(); // transactional id
    const acks = request.int16();
    request.int32(); // timeout
    const topics = request.array(() => ({
      topic: request.string(),
      partitions: request.array(() => ({ partition: request.int32(), records: request.nullableBytes() })) ?? [],
    }));
    const results: { topic: string; partitions: PartitionResult[] }[] = [];
    for (const { topic, partitions } of topics ?? []) {
      const done: PartitionResult[] = [];
      for (const { partition, records } of partitions)
        done.push(
          fault
            ? { partition, code: fault, baseOffset: -1n }
            : await this.#append(topic, partition, records ?? Buffer.alloc(0)),
        );
      results.push({ topic, partitions: done });
    }
    response.array(results, ({ topic, partitions }) =>
      response.string(topic).array(partitions, ({ partition, code, baseOffset }) => {
        response.int32(partition).int16(code).int64(baseOffset).int64(-1n);
        if (version >= 5) response.int64(0n);
      }),
    );
    response.int32(0);
    return acks !== 0;
  }

  async #append(topic: string, partition: number, records: Buffer): Promise<PartitionResult> {
    try {
      if (!this.#log.has(topic))
        throw new KafkaError(KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED, 'Builders may not write to this topic.');
      if (partition !== 0) throw new KafkaError(KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION, 'There is no such topic.');
      const batch = decodeRecordBatch(records);
      const repeated = this.#repeated(topic, batch);
      if (repeated !== undefined) return { partition, code: KAFKA_ERROR.NONE, baseOffset: repeated };
      await this.#log.append(topic, batch.messages);
      const baseOffset = this.#offsets.get(topic) ?? 0n;
      this.#offsets.set(topic, baseOffset + BigInt(batch.messages.length));
      this.#remember(topic, batch, baseOffset);
      return { partition, code: KAFKA_ERROR.NONE, baseOffset };
    } catch (error) {
      // A message that the receiver could not store is answered with an error after which the producer tries again.
      const code = error instanceof KafkaError ? error.code : KAFKA_ERROR.KAFKA_STORAGE_ERROR;
      return { partition, code, baseOffset: -1n };
    }
  }

  /** The offset of a batch of an idempotent producer that was appended before, its answer having been lost. */
  #repeated(topic: string, batch: RecordBatch): bigint | undefined {
    const known = batch.producerId < 0n ? undefined : this.#sequences.get(sequenceKey(topic, batch));
    return known && batch.baseSequence + batch.messages.length <= known.next ? known.baseOffset : undefined;
  }

  #remember(topic: string, batch: RecordBatch, baseOffset: bigint): void {
    if (batch.producerId < 0n) return;
    const key = sequenceKey(topic, batch);
    this.#sequences.delete(key); // so that the oldest entry is the longest unused one
    this.#sequences.set(key, { next: batch.baseSequence + batch.messages.length, baseOffset });
    if (this.#sequences.size > MAX_PRODUCERS) this.#sequences.delete(this.#sequences.keys().next().value!);
  }
}

const sequenceKey = (topic: string, { producerId, producerEpoch }: RecordBatch) =>
  `${producerId}/${producerEpoch}/${topic}`;

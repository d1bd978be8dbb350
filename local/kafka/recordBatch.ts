import { gunzipSync } from 'node:zlib';
import { MAC_HEADER } from '../../contract/mac.ts';
import { crc32c } from '../awsProtocol/crc32.ts';
import { KAFKA_ERROR, KafkaError } from './errorCodes.ts';
import { WireReader } from './wire.ts';

export interface KafkaMessage {
  /** Empty where the producer gave none. */
  readonly key: string;
  readonly value: string;
  /** The MAC that the producer gave with it; of all headers the one that is kept. */
  readonly mac?: string;
  /** Milliseconds since the epoch, by the producer's clock. */
  readonly timestamp: number;
}

export interface RecordBatch {
  /** -1n where the producer is not idempotent. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly messages: readonly KafkaMessage[];
}

/** Kafka's default for `message.max.bytes`: what works here must work there. */
export const MAX_BATCH_BYTES = 1_048_588;
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
const GZIP = 1;
const MAX_MAC_BYTES = 100;

/**
 * Reads a record batch of format v2, uncompressed or with gzip.
 * Source: Apache Kafka documentation, "Message Format / Record Batch".
 * @throws KafkaError for whatever is not exactly one valid batch.
 */
export function decodeRecordBatch(bytes: Buffer): RecordBatch {
  if (bytes.length > MAX_BATCH_BYTES) throw new KafkaError(KAFKA_ERROR.MESSAGE_TOO_LARGE, 'The batch is too large.');
  try {
    return decodeBatch(new WireReader(bytes));
  } catch (error) {
    if (error instanceof KafkaError) throw error;
    throw corruptMessage((error as Error).message);
  }
}

const corruptMessage = (message: string) => new KafkaError(KAFKA_ERROR.CORRUPT_MESSAGE, message);

function decodeBatch(reader: WireReader): RecordBatch {
  reader.int64(); // base offset: the broker's to give
  if (reader.int32() !== reader.remaining) throw corruptMessage('The batch has not the length that it states.');
  reader.int32(); // partition leader epoch
  if (reader.int8() !== 2) throw corruptMessage('Only record batches of format 2 are known.');
  const crc = reader.uint32();
  const body = reader.bytes(reader.remaining);
  if (crc32c(body) !== crc) throw corruptMessage('The checksum of the batch does not match.');

  const header = new WireReader(body);
  const attributes = header.int16();
  const lastOffsetDelta = header.int32();
  const baseTimestamp = header.int64();
  header.int64(); // greatest timestamp
  const producerId = header.int64();
  const producerEpoch = header.int16();
  const baseSequence = header.int32();
  const count = header.int32();
  if (count < 1 || count !== lastOffsetDelta + 1)
    throw new KafkaError(KAFKA_ERROR.INVALID_RECORD, 'The number of records is not valid.');
  const records = new WireReader(unpackRecords(header.bytes(header.remaining), attributes & 7));
  const messages: KafkaMessage[] = [];
  // No list of `count` elements is allocated, since the number comes from the client.
  for (let i = 0; i < count; i++) messages.push(decodeRecord(records, baseTimestamp));
  if (records.remaining > 0) throw corruptMessage('There are bytes after the last record.');
  return { producerId, producerEpoch, baseSequence, messages };
}

function unpackRecords(bytes: Buffer, codec: number): Buffer {
  if (codec === 0) return bytes;
  if (codec !== GZIP) throw new KafkaError(KAFKA_ERROR.UNSUPPORTED_COMPRESSION_TYPE, 'Only gzip is supported.');
  return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
}

function decodeRecord(batch: WireReader, baseTimestamp: bigint): KafkaMessage {
  const record = new WireReader(batch.bytes(batch.varint()));
  record.int8(); // attributes: none are defined
  const timestamp = Number(baseTimestamp + record.varlong());
  record.varint(); // offset within the batch
  const key = record.varbytes();
  const value = record.varbytes();
  const headers = record.varint();
  let mac: string | undefined;
  for (let i = 0; i < headers; i++) {
    const name = record.varbytes()?.toString('latin1');
    const given = record.varbytes();
    if (name === MAC_HEADER && given && given.length <= MAX_MAC_BYTES) mac = given.toString('latin1');
  }
  if (record.remaining > 0) throw corruptMessage('A record has not the length that it states.');
  return {
    key: key?.toString('utf8') ?? '',
    value: value?.toString('utf8') ?? '',
    ...(mac !== undefined && { mac }),
    timestamp,
  };
}

import type { MSKEvent, MSKRecord } from 'aws-lambda';
import type { KafkaMessage } from 'kafkajs';

/**
 * The answer of a function with ReportBatchItemFailures. `partition` is `{topic}-{partition}`, as in the event's keys.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 */
export interface KafkaBatchResponse {
  readonly batchItemFailures: readonly {
    readonly itemIdentifier: { readonly partition: string; readonly offset: number };
  }[];
}

/**
 * The event that Lambda's event source makes of messages of one partition. Keys and values are base64; headers are
 * lists of bytes.
 */
export function lambdaEvent(
  topic: string,
  partition: number,
  messages: readonly KafkaMessage[],
  source: { arn: string; brokers: string },
): MSKEvent {
  return {
    eventSource: 'aws:kafka',
    eventSourceArn: source.arn,
    bootstrapServers: source.brokers,
    records: {
      [`${topic}-${partition}`]: messages.map(
        (m): MSKRecord => ({
          topic,
          partition,
          offset: Number(m.offset),
          timestamp: Number(m.timestamp),
          timestampType: 'CREATE_TIME',
          key: m.key?.toString('base64') ?? '',
          value: m.value?.toString('base64') ?? '',
          headers: headersOf(m),
        }),
      ),
    },
  };
}

const headersOf = ({ headers = {} }: KafkaMessage): MSKRecord['headers'] =>
  Object.entries(headers).flatMap(([name, given]) =>
    (Array.isArray(given) ? given : [given]).flatMap((value) =>
      value === undefined ? [] : [{ [name]: [...Buffer.from(value)] }],
    ),
  );

/** Lambda's default batch size for Kafka event sources, and its limit of 6 MB for an event, base64 and names included. */
const MAX_RECORDS = 100;
const MAX_EVENT_BYTES = 6_000_000;
const RECORD_BYTES = 300;

/** The first messages that go into one event: at least one. */
export function firstBatch(messages: readonly KafkaMessage[]): readonly KafkaMessage[] {
  let bytes = 0;
  const over = messages.slice(0, MAX_RECORDS).findIndex((m) => {
    bytes += RECORD_BYTES + ((m.key?.length ?? 0) + (m.value?.length ?? 0)) * (4 / 3);
    return bytes > MAX_EVENT_BYTES;
  });
  return messages.slice(0, over === -1 ? MAX_RECORDS : Math.max(over, 1));
}

/**
 * How many of the first messages are done. As Lambda does: everything from the lowest failed offset on is given again, and
 * an answer that cannot be understood counts as a failure of the whole batch.
 */
export function doneOf(
  topic: string,
  partition: number,
  messages: readonly KafkaMessage[],
  response: KafkaBatchResponse | undefined | null,
): number {
  let done = messages.length;
  for (const failure of response?.batchItemFailures ?? []) {
    const { partition: name, offset } = failure?.itemIdentifier ?? {};
    const at = messages.findIndex((m) => m.offset === String(offset));
    if (name !== `${topic}-${partition}` || at === -1) return 0;
    done = Math.min(done, at);
  }
  return done;
}

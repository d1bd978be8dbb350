import type { MSKRecord } from 'aws-lambda';
import {
  type BuilderEvent,
  BuilderEventSchema,
  type DeploymentEvent,
  DeploymentEventSchema,
  type LogBatch,
  LogBatchSchema,
} from '../../contract/events.ts';
import { MAC_HEADER } from '../../contract/mac.ts';
import { TOPICS } from '../../contract/names.ts';
import { isSigned, type Signing } from '../shared/signing.ts';
import { takesUnsigned } from './unsigned.ts';

/** One message as it came from Kafka. */
export interface RawMessage {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
  /** Empty where there is none. */
  readonly mac: string;
}

export type ReceivedMessage =
  | { readonly kind: 'platform'; readonly message: DeploymentEvent }
  | { readonly kind: 'builder'; readonly message: BuilderEvent }
  | { readonly kind: 'logs'; readonly message: LogBatch }
  /** Unsigned, of the earlier version; whether it is accepted depends on its deployment. */
  | { readonly kind: 'unsigned'; readonly message: DeploymentEvent }
  | { readonly kind: 'unsigned logs'; readonly message: LogBatch };

export type Read =
  | ReceivedMessage
  /** Of unknown or forged origin; it is dropped. */
  | { readonly kind: 'refused'; readonly reason: string; readonly deploymentId?: string }
  /** Written by the platform but not readable; it is parked for an operator. */
  | { readonly kind: 'malformed'; readonly reason: string };

const refuseMessage = (reason: string, deploymentId?: string): Read => ({
  kind: 'refused',
  reason,
  ...(deploymentId !== undefined && { deploymentId }),
});

/** Proves the writer of a message by its MAC and parses it. Depends only on the message and the keys. */
export function readMessage(raw: RawMessage, signing: Signing, now: number): Read {
  if (raw.topic === TOPICS.events) return readPlatformMessage(raw, signing, now);
  if (raw.topic === TOPICS.buildEvents) {
    const parsed = BuilderEventSchema.safeParse(parseJson(raw.value));
    if (!parsed.success) return refuseMessage('it is not what a builder may say');
    const reason = refusalOfWriter(raw, signing, parsed.data);
    return reason ? refuseMessage(reason, parsed.data.deploymentId) : { kind: 'builder', message: parsed.data };
  }
  if (raw.topic === TOPICS.logs) {
    const parsed = LogBatchSchema.safeParse(parseJson(raw.value));
    if (!parsed.success) return refuseMessage('it is not lines of a log');
    if (raw.mac === '' && takesUnsigned(signing, now)) return { kind: 'unsigned logs', message: parsed.data };
    const reason = refusalOfWriter(raw, signing, parsed.data);
    return reason ? refuseMessage(reason, parsed.data.deploymentId) : { kind: 'logs', message: parsed.data };
  }
  return { kind: 'malformed', reason: `unknown topic ${raw.topic}` };
}

function readPlatformMessage({ value, mac }: RawMessage, signing: Signing, now: number): Read {
  const parsed = DeploymentEventSchema.safeParse(parseJson(value));
  if (isSigned(signing, TOPICS.events, value, mac))
    return parsed.success
      ? { kind: 'platform', message: parsed.data }
      : { kind: 'malformed', reason: parsed.error.message };
  if (mac === '' && parsed.success && takesUnsigned(signing, now)) return { kind: 'unsigned', message: parsed.data };
  return refuseMessage(mac === '' ? 'it is not signed' : 'its MAC is not the platform’s', parsed.data?.deploymentId);
}

/** On the builders' topics: MAC and message key must be those of the build that the message is about. */
function refusalOfWriter(
  { topic, key, value, mac }: RawMessage,
  signing: Signing,
  message: BuilderEvent | LogBatch,
): string | null {
  if (mac === '') return 'it is not signed';
  if (!isSigned(signing, topic as typeof TOPICS.logs, value, mac, message)) return 'its MAC is not its build’s';
  return key === message.deploymentId ? null : 'its key is not its deployment';
}

function parseJson(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString());
  } catch {
    return undefined;
  }
}

/** A record of Lambda's event source, in which everything is base64 but headers, which are lists of bytes. */
export function rawMessage({ topic, key, value, headers }: MSKRecord): RawMessage {
  const mac = headers?.find((header) => Object.hasOwn(header, MAC_HEADER))?.[MAC_HEADER];
  return {
    topic,
    key: Buffer.from(key ?? '', 'base64').toString(),
    value: Buffer.from(value ?? '', 'base64'),
    mac: mac ? Buffer.from(mac).toString('latin1') : '',
  };
}

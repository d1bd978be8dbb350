import { createHmac } from 'node:crypto';
import type { MSKRecord } from 'aws-lambda';
import { buildKeyInfo, MAC_HEADER, macPrefix, PLATFORM_KEY_INFO } from '../../contract/mac.ts';
import { TOPICS, type Topic } from '../../contract/names.ts';
import type { EventBus } from '../../lambdas/shared/ports.ts';
import type { Signing } from '../../lambdas/shared/signing.ts';

/** Of platforms that tests make. Nothing unsigned is taken. */
export const SIGNING: Signing = { current: 'a secret of the tests'.padEnd(32, '.'), accepted: [], since: 0 };

type Build = Parameters<typeof buildKeyInfo>[0];

/** A MAC, made here a second time from what `contract/mac.ts` says: as the platform, or as the build that is given. */
export function macOf(topic: Topic, value: string, build?: Build, secret = SIGNING.current): string {
  const info = build ? buildKeyInfo(build) : PLATFORM_KEY_INFO;
  const key = createHmac('sha256', secret).update(info).digest();
  return macWith(key, topic, value);
}

const macWith = (key: Buffer, topic: Topic, value: string) =>
  createHmac('sha256', key).update(macPrefix(topic)).update(value).digest('base64url');

/** What a builder tells, with its MAC. @param key As EVENT_SIGNING_KEY has it. Default: that of the tests' secret. */
export async function publishAsBuilder(bus: EventBus, event: Build, key?: string): Promise<void> {
  const value = JSON.stringify(event);
  const topic = TOPICS.buildEvents;
  const mac = key === undefined ? macOf(topic, value, event) : macWith(Buffer.from(key, 'hex'), topic, value);
  await bus.publish(topic, [{ key: event.deploymentId, value, mac }]);
}

let offset = 0;
/** A record of Lambda's event source. A MAC of `null`: none. Default: the one that the message has to have. */
export function mskRecord(
  topic: Topic,
  message: object | string,
  given: { mac?: string | null; key?: string } = {},
): MSKRecord {
  const value = typeof message === 'string' ? message : JSON.stringify(message);
  const about = message as Build;
  const mac = given.mac === undefined ? macOf(topic, value, topic === TOPICS.events ? undefined : about) : given.mac;
  return {
    topic,
    partition: 0,
    offset: offset++,
    timestamp: 0,
    timestampType: 'CREATE_TIME',
    key: Buffer.from(given.key ?? about.deploymentId ?? '').toString('base64'),
    value: Buffer.from(value).toString('base64'),
    headers: mac === null ? [] : [{ [MAC_HEADER]: [...Buffer.from(mac)] }],
  };
}

import { readFileSync } from 'node:fs';
import { type Traffic, TrafficSchema } from '../../contract/cost.ts';

/** Columns of an interface in Linux's table: bytes received are the first, bytes sent the ninth. Source: proc(5). */
const RECEIVED = 0;
const SENT = 8;

/**
 * What the network interfaces of this task have moved since it started, without loopback; undefined where the table cannot
 * be read: that is no reason to fail. The other container of a task shares its interfaces.
 */
export function readTraffic(read: () => string = () => readFileSync('/proc/net/dev', 'utf8')): Traffic | undefined {
  try {
    const total = { received: 0, sent: 0 };
    for (const line of read().split('\n')) {
      const [name, counters] = line.split(':');
      if (counters === undefined || name?.trim() === 'lo') continue;
      const numbers = counters.trim().split(/\s+/).map(Number);
      total.received += numbers[RECEIVED] ?? Number.NaN;
      total.sent += numbers[SENT] ?? Number.NaN;
    }
    return TrafficSchema.safeParse(total).data;
  } catch {
    return undefined;
  }
}

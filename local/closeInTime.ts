import { setTimeout as sleep } from 'node:timers/promises';
import type { Platform } from './platform/platform.ts';

/** A container engine that does not answer could hold a stop for minutes. */
const LONGEST_MS = 10_000;

/** Closes the platform of a process that ends afterwards; what does not end by then is ended by the next start. */
export async function closeInTime(platform: Pick<Platform, 'close'>): Promise<void> {
  const late = new AbortController();
  const isOver = await Promise.race([
    platform.close().then(() => true),
    sleep(LONGEST_MS, false, { signal: late.signal }),
  ]).finally(() => late.abort());
  if (!isOver)
    console.error(`Not everything has ended within ${LONGEST_MS / 1_000} s: the next start ends what is left.`);
}

import { setTimeout as sleep } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { z } from 'zod';
import { type LogLine, LogLineSchema } from '../../contract/events.ts';
import {
  DEPLOYMENT_STATUSES,
  type DeploymentRecord,
  DeploymentRecordSchema,
  type DeploymentStatus,
} from '../../contract/record.ts';
import { networkReason, ProblemError, UnreachableError } from './errors.ts';
import { errorOfAnswer, MAX_ANSWER_BYTES, readAnswer, sendRequest } from './http.ts';

export type FollowedEvents =
  | { readonly type: 'log'; readonly line: LogLine }
  /** The record has changed; the first one comes at once. */
  | { readonly type: 'status'; readonly record: DeploymentRecord }
  /** Always the last. */
  | { readonly type: 'end'; readonly status: DeploymentStatus };

export interface FollowEventsOptions {
  /** `seq` of the last line that is known already. */
  readonly after?: number;
  readonly signal?: AbortSignal;
  /** A connection without data for so long is dead, since the server sends a comment every 15 s. Milliseconds. */
  readonly idleMs?: number;
  /** Pauses between tries to connect again, in milliseconds; after the last of them the follower gives up. */
  readonly pausesMs?: readonly number[];
}

/**
 * A connection that lasted so long counts as no failure: streams end by themselves after some minutes and are resumed.
 */
const LASTING_MS = 20_000;
const PAUSES_MS = [100, 250, 500, 1_000, 2_000, 5_000, 5_000, 5_000, 5_000, 5_000];
const EndSchema = z.object({ status: z.enum(DEPLOYMENT_STATUSES) });

/**
 * Server-sent events of a deployment, over as many connections as it takes. Ends after `end`, or when the signal aborts.
 * Throws `ProblemError` where the API refuses and `UnreachableError` when the pauses are used up without any news between.
 */
export async function* followEvents(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { after = 0, signal, idleMs = 45_000, pausesMs = PAUSES_MS }: FollowEventsOptions,
): AsyncGenerator<FollowedEvents, void, undefined> {
  let seen = after;
  let updatedAt = '';
  let failures = 0;
  while (!signal?.aborted) {
    let reason = 'the stream ended before the deployment did';
    const from = performance.now();
    try {
      for await (const message of followConnection(
        url,
        { ...headers, 'Last-Event-ID': String(seen) },
        idleMs,
        signal,
      )) {
        const followed = readMessage(message);
        if (!followed) continue;
        // Every connection begins with the record, so only news counts as progress.
        if (followed.type === 'log') {
          if (followed.line.seq <= seen) continue;
          seen = followed.line.seq;
          failures = 0;
        } else if (followed.type === 'status' && followed.record.updatedAt !== updatedAt) {
          updatedAt = followed.record.updatedAt;
          failures = 0;
        }
        yield followed;
        if (followed.type === 'end') return;
      }
      if (performance.now() - from > LASTING_MS) failures = 0;
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof ProblemError && error.status !== 503) throw error;
      if (error instanceof z.ZodError || error instanceof SyntaxError)
        throw new UnreachableError(url, 'an event has an unknown form', { cause: error });
      reason = error instanceof UnreachableError ? error.reason : networkReason(error);
    }
    const pause = pausesMs[failures++];
    if (pause === undefined) throw new UnreachableError(url, reason);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** The events of one connection, until either side closes it or nothing came for `idleMs`. */
async function* followConnection(
  url: URL,
  headers: Readonly<Record<string, string>>,
  idleMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventSourceMessage> {
  const closed = new AbortController();
  const idle = setTimeout(() => closed.abort(new Error(`nothing came for ${idleMs / 1_000} s`)), idleMs);
  try {
    const stop = signal ? AbortSignal.any([signal, closed.signal]) : closed.signal;
    const body = await openConnection(url, headers, stop);
    const arrived: EventSourceMessage[] = [];
    let fault: Error | undefined;
    const parser = createParser({
      onEvent: (message) => arrived.push(message),
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') fault = error;
      },
      maxBufferSize: MAX_ANSWER_BYTES,
    });
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      idle.refresh();
      parser.feed(text);
      if (fault) throw new UnreachableError(url, 'an event of the log is too long');
      yield* arrived.splice(0);
    }
  } finally {
    clearTimeout(idle);
    closed.abort();
  }
}

async function openConnection(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
  const call = { headers: { ...headers, Accept: 'text/event-stream' }, signal };
  let response = await sendRequest(url, call);
  const location = response.status === 307 ? response.headers.get('Location') : null;
  if (location !== null) {
    // On AWS another endpoint streams. The platform itself names it, so it gets the token, but never without TLS.
    const target = new URL(location, url);
    if (target.protocol !== 'https:' && target.protocol !== url.protocol)
      throw new UnreachableError(url, `it redirects to ${target.protocol}//, which is not encrypted`);
    await response.body?.cancel();
    response = await sendRequest(target, call);
  }
  if (!response.ok) throw errorOfAnswer(url, response.status, await readAnswer(url, response));
  if (!response.body) throw new UnreachableError(url, 'the answer has no body');
  return response.body;
}

/** Undefined for events that this version does not know. */
function readMessage(message: EventSourceMessage): FollowedEvents | undefined {
  switch (message.event) {
    case 'log':
      return { type: 'log', line: LogLineSchema.parse(JSON.parse(message.data)) };
    case 'status':
      return { type: 'status', record: DeploymentRecordSchema.parse(JSON.parse(message.data)) };
    case 'end':
      return { type: 'end', status: EndSchema.parse(JSON.parse(message.data)).status };
    default:
      return undefined;
  }
}

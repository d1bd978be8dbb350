import { createParser } from 'eventsource-parser';
import type { LogLine } from '../../contract/events.ts';
import { ApiError, pathOf, requestApi } from '../api/callApi.ts';
import { logUrl } from '../api/places.ts';

export interface LogReceiver {
  /** In their order, each once, whatever happens to the connection. */
  readonly onLines: (lines: readonly LogLine[]) => void;
  /** The record has changed. */
  readonly onChange: () => void;
  readonly onState: (state: FollowState) => void;
}

/** `following`: lines come as they are written. `polling`: they are asked for. `ended`: there will be no more. */
export type FollowState = 'connecting' | 'following' | 'polling' | 'ended' | { readonly failed: unknown };

/** The platform sends something every 15 s; a connection that says nothing for longer is dead. */
const SILENCE_MS = 40_000;
const POLL_MS = 2_000;
const LONGEST_PAUSE_MS = 8_000;
/** Connections in a row that brought nothing, after which the log is read in pages. */
const MAX_BARREN = 3;

/**
 * The log of a deployment from its first line to its end. A broken connection is made again from the last line that
 * came; where none can be held, the log is read in pages.
 */
export async function followLog(deploymentId: string, to: LogReceiver, signal: AbortSignal): Promise<void> {
  const path = pathOf('deployments', deploymentId, 'logs');
  let seen = 0;
  let barren = 0;
  let ended = false;

  const take = (lines: readonly LogLine[]) => {
    const news = lines.filter(({ seq }) => seq > seen);
    seen = news.at(-1)?.seq ?? seen;
    if (news.length > 0) to.onLines(news);
  };

  const streamOnce = async () => {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    const both = AbortSignal.any([signal, silence.signal]);
    try {
      const headers = { Accept: 'text/event-stream' };
      const query = { follow: 'true', after: seen };
      const response = await requestApi('GET', path, { headers, query, signal: both }, logUrl);
      to.onState('following');
      let lines: LogLine[] = [];
      const parser = createParser({
        onEvent: ({ event, data }) => {
          if (event === 'log') lines.push(JSON.parse(data) as LogLine);
          if (event === 'status') to.onChange();
          if (event === 'end') ended = true;
        },
      });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        barren = 0;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        parser.feed(value);
        take(lines);
        lines = [];
        if (ended) return;
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  };

  const readPages = async () => {
    for (;;) {
      const query = { follow: 'false', after: seen };
      const text = await (await requestApi('GET', path, { query, signal })).text();
      const lines = text.split('\n').filter(Boolean);
      take(lines.map((line) => JSON.parse(line) as LogLine));
      if (lines.length === 0) return;
    }
  };

  while (!signal.aborted && !ended) {
    try {
      if (barren < MAX_BARREN) await streamOnce();
      else {
        to.onState('polling');
        await readPages();
        to.onChange();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isFinal(error)) return to.onState({ failed: error });
    }
    if (ended || signal.aborted) break;
    barren++;
    to.onState(barren < MAX_BARREN ? 'connecting' : 'polling');
    await pause(barren < MAX_BARREN ? Math.min(250 * 2 ** barren, LONGEST_PAUSE_MS) : POLL_MS, signal);
    // After some pages another stream is tried: what was in its way may be gone.
    if (barren > MAX_BARREN + 10) barren = 0;
  }
  if (ended) to.onState('ended');
}

/** Asking again would be answered in the same way. */
const isFinal = (error: unknown) =>
  error instanceof ApiError &&
  error.status >= 400 &&
  error.status < 500 &&
  error.status !== 429 &&
  error.status !== 408;

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

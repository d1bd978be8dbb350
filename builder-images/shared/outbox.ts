import { setTimeout as sleep } from 'node:timers/promises';

/** The receiver of batches. `send` resolves when a batch is durable; a failed one is sent again unchanged. */
export interface EventTransport {
  send(batch: Batch): Promise<void>;
  close(): Promise<void>;
}
export interface Batch {
  readonly events: readonly string[];
  readonly logs: readonly string[];
}
export interface Line {
  readonly at: string;
  readonly stream: 'stdout' | 'stderr' | 'system';
  readonly line: string;
}

export interface OutboxOptions {
  readonly transport: EventTransport;
  /** Makes the message of consecutive lines; `first` is the number of the first within the attempt. */
  readonly encode: (first: number, lines: readonly Line[]) => string;
  readonly now: () => number;
  readonly onTrouble?: (error: unknown) => void;
  readonly limits?: Partial<typeof LIMITS>;
}

const LIMITS = {
  /** Lines of one message, and UTF-16 units of them. JSON and UTF-8 make at most 6 bytes of a unit. */
  batchLines: 500,
  batchLength: 64 * 1_024,
  /** No further message joins a request that has so many bytes: a request stays below Kafka's default limit of 1 MB. */
  requestBytes: 512 * 1_024,
  /** Lines wait this long for others to share a message (ms). */
  lingerMs: 60,
  /**
   * Limit for waiting lines. Beyond it the source pauses, and after `patienceMs` without a success lines are dropped.
   */
  bufferLines: 20_000,
  bufferLength: 16 * 1_024 * 1_024,
  patienceMs: 10_000,
  /** The first message waits until the build has started: loading the client would hold it up (ms). */
  startMs: 250,
  /** Between attempts (ms). */
  retryMs: [100, 250, 500, 1_000, 2_000] as readonly number[],
};

/**
 * Holds events and log lines until the broker has accepted them. Events are never dropped; log lines are, when the
 * broker has been away for so long that they do not fit, and then a line says how many. Lines get their numbers when
 * they are sent, so the numbers have no gap. One batch is sent at a time, which keeps the order.
 */
export class Outbox {
  readonly #o: OutboxOptions;
  readonly #limits: typeof LIMITS;
  #events: string[] = [];
  #lines: Line[] = [];
  #length = 0;
  #dropped = 0;
  #numbered = 0;
  #lastSuccess: number;
  #wake: (() => void) | undefined;
  #hurry: (() => void) | undefined;
  #urgent = false;
  #closed = false;
  #underWay = false;
  readonly #waiting = new Set<() => void>();
  #start: () => void = () => undefined;
  readonly #started = new Promise<void>((resolve) => {
    this.#start = resolve;
  });
  readonly #loop: Promise<void>;

  constructor(options: OutboxOptions) {
    this.#o = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#lastSuccess = options.now();
    this.#loop = this.#run();
  }

  /** Lines that were given numbers, dropped ones not among them. */
  get logLines(): number {
    return this.#numbered;
  }

  get empty(): boolean {
    return !this.#underWay && this.#events.length === 0 && this.#lines.length === 0 && this.#dropped === 0;
  }

  event(message: string): void {
    this.#events.push(message);
    this.#atOnce();
  }

  line(line: Line): void {
    if (this.#full() && this.#o.now() - this.#lastSuccess > this.#limits.patienceMs) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#length += line.line.length;
    this.#wake?.();
  }

  /** Resolves when there is room for more lines, or when waiting for it would hold up the build. */
  async room(): Promise<void> {
    while (this.#full() && this.#o.now() - this.#lastSuccess <= this.#limits.patienceMs && !this.#closed)
      await this.#next(250);
  }

  /** True when the broker has accepted everything; false when that has not happened within `ms`. */
  async drained(ms: number): Promise<boolean> {
    const until = this.#o.now() + ms;
    this.#start();
    this.#atOnce();
    while (!this.empty && this.#o.now() < until) await this.#next(Math.min(250, until - this.#o.now()));
    return this.empty;
  }

  /** Ends the sending, whatever is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#start();
    this.#atOnce();
    await Promise.race([this.#loop, sleep(1_000, undefined, { ref: false })]);
    await Promise.race([this.#o.transport.close().catch(() => undefined), sleep(1_000, undefined, { ref: false })]);
  }

  /** Ends the wait before the first message, or for further lines. */
  #atOnce(): void {
    this.#urgent = true;
    this.#wake?.();
    this.#hurry?.();
  }

  #full(): boolean {
    return this.#lines.length >= this.#limits.bufferLines || this.#length >= this.#limits.bufferLength;
  }

  /** Resolves at the next success, or after `ms`. */
  async #next(ms: number): Promise<void> {
    let wake: () => void = () => undefined;
    const success = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiting.add(wake);
    const timer = new AbortController();
    await Promise.race([success, sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
    this.#waiting.delete(wake);
  }

  async #run(): Promise<void> {
    await Promise.race([sleep(this.#limits.startMs, undefined, { ref: false }), this.#started]);
    while (!this.#closed) {
      if (this.#events.length === 0 && this.#lines.length === 0 && this.#dropped === 0)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      if (!this.#urgent && this.#lines.length < this.#limits.batchLines && !this.#closed) await this.#linger();
      this.#wake = undefined;
      if (this.#closed) return;
      await this.#sendAll();
    }
  }

  async #linger(): Promise<void> {
    const hurry = new AbortController();
    this.#hurry = () => hurry.abort();
    await sleep(this.#limits.lingerMs, undefined, { signal: hurry.signal }).catch(() => undefined);
    this.#hurry = undefined;
  }

  async #sendAll(): Promise<void> {
    const batch = this.#take();
    this.#underWay = true;
    for (let failures = 0; !this.#closed; failures++) {
      try {
        await this.#o.transport.send(batch);
        this.#lastSuccess = this.#o.now();
        break;
      } catch (error) {
        this.#o.onTrouble?.(error);
        await sleep(this.#limits.retryMs[Math.min(failures, this.#limits.retryMs.length - 1)]!);
      }
    }
    this.#underWay = false;
    for (const wake of this.#waiting) wake();
  }

  /** Waiting events and lines as messages, as many as fit one request. */
  #take(): Batch {
    const events = this.#events;
    this.#events = [];
    this.#urgent = false;
    const logs: string[] = [];
    let bytes = events.reduce((sum, event) => sum + Buffer.byteLength(event), 0);
    while (this.#lines.length > 0 && bytes < this.#limits.requestBytes) {
      let count = 0;
      let length = 0;
      while (count < this.#lines.length && count < this.#limits.batchLines && length < this.#limits.batchLength)
        length += this.#lines[count++]!.line.length;
      this.#length -= length;
      const message = this.#encode(this.#lines.splice(0, count));
      bytes += Buffer.byteLength(message);
      logs.push(message);
    }
    if (this.#lines.length === 0 && this.#dropped > 0) {
      const line = `${this.#dropped} lines were dropped here: the message broker was away for too long.`;
      this.#dropped = 0;
      logs.push(this.#encode([{ at: new Date(this.#o.now()).toISOString(), stream: 'system', line }]));
    }
    return { events, logs };
  }

  #encode(lines: readonly Line[]): string {
    const message = this.#o.encode(this.#numbered, lines);
    this.#numbered += lines.length;
    return message;
  }
}

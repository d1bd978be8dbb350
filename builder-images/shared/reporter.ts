import type { Target } from '../../contract/builders.ts';
import type { Traffic } from '../../contract/cost.ts';
import {
  type BuilderEvent,
  BuilderEventSchema,
  builderEventId,
  EVENT_VERSION,
  type LogBatch,
} from '../../contract/events.ts';
import type { Artifact, Failure, Phase } from '../../contract/record.ts';
import { FailureLines } from './failure-lines.ts';
import { presentLine } from './lines.ts';
import type { Masker } from './masker.ts';
import { type EventTransport, type Line, Outbox, type OutboxOptions } from './outbox.ts';

/** Limit for the lines of one attempt that are sent; a build that prints more goes on, but the rest is not logged. */
export const MAX_LOG_LINES = 100_000;

export interface Identity {
  readonly deploymentId: string;
  readonly projectId: string;
  readonly target: Target;
  readonly attempt: number;
  readonly correlationId?: string;
}

export interface ReporterOptions {
  readonly identity: Identity;
  readonly transport: EventTransport;
  readonly mask: Masker;
  readonly now: () => number;
  readonly onTrouble?: (error: unknown) => void;
  readonly maxLogLines?: number;
  readonly limits?: OutboxOptions['limits'];
}

/** Reports a build by events and log lines. Its methods never fail and never wait for the broker. */
export class Reporter {
  readonly #o: ReporterOptions;
  readonly #outbox: Outbox;
  #lines = 0;
  #readTraffic: () => Traffic | undefined = () => undefined;
  #failure = new FailureLines();

  constructor(options: ReporterOptions) {
    this.#o = options;
    const { deploymentId, projectId, target, attempt } = options.identity;
    this.#outbox = new Outbox({
      transport: options.transport,
      now: options.now,
      ...(options.onTrouble && { onTrouble: options.onTrouble }),
      ...(options.limits && { limits: options.limits }),
      encode: (first, lines) =>
        JSON.stringify({
          v: EVENT_VERSION,
          deploymentId,
          projectId,
          target,
          attempt,
          first,
          lines: [...lines],
        } satisfies LogBatch),
    });
  }

  /** The lines of the current phase that say why it failed, oldest first: see `FailureLines`. */
  get lastLines(): string[] {
    return this.#failure.selected;
  }

  phaseStarted(phase: Phase, at = this.#o.now()): void {
    this.#failure = new FailureLines();
    this.#event(`${phase}-started`, at, { type: 'build.phase', phase, state: 'started' });
  }

  phaseFinished(phase: Phase, ok: boolean, at = this.#o.now()): void {
    this.#event(`${phase}-finished`, at, { type: 'build.phase', phase, state: 'finished', ok });
  }

  /** A line of Veren's own. */
  say(text: string): void {
    this.presented('system', presentLine(this.#o.mask, text));
  }

  /** Adds a line that is already safe, masked and short enough (see `LineSplitter`). */
  presented(stream: Line['stream'], line: string): void {
    if (stream !== 'system') this.#failure.add(line);
    const max = this.#o.maxLogLines ?? MAX_LOG_LINES;
    if (stream !== 'system' && this.#lines >= max) {
      if (this.#lines++ === max) this.say(`The log ends here: more than ${max} lines.`);
      return;
    }
    if (stream !== 'system') this.#lines++;
    this.#outbox.line({ at: new Date(this.#o.now()).toISOString(), stream, line });
  }

  /** Resolves when the source of lines may go on. */
  room(): Promise<void> {
    return this.#outbox.room();
  }

  /** The final event says what `read` gives then. For a task alone: a laptop's interfaces are not the build's. */
  countTraffic(read: () => Traffic | undefined): void {
    this.#readTraffic = read;
  }

  /**
   * Sends the final event when everything before it has been accepted, and waits for it; at most `waitMs` in all.
   * False: the broker did not accept it, so that the exit code has to show the result.
   */
  async succeeded(artifact: Artifact, waitMs: number): Promise<boolean> {
    return this.#terminal(waitMs, (logLines) => ({ type: 'build.succeeded', artifact, logLines }));
  }

  /** As `succeeded`, but for an artifact that is stored and that the platform publishes later. */
  async stored(artifact: Artifact, waitMs: number): Promise<boolean> {
    return this.#terminal(waitMs, (logLines) => ({ type: 'build.stored', artifact, logLines }));
  }

  async failed(failure: Failure, waitMs: number): Promise<boolean> {
    return this.#terminal(waitMs, (logLines) => ({ type: 'build.failed', error: failure, logLines }));
  }

  async close(): Promise<void> {
    await this.#outbox.close();
  }

  async #terminal(waitMs: number, body: (logLines: number) => Body): Promise<boolean> {
    const until = this.#o.now() + waitMs;
    await this.#outbox.drained(waitMs);
    const at = this.#o.now();
    const traffic = this.#readTraffic();
    this.#event('ended', at, { ...body(this.#outbox.logLines), ...(traffic && { traffic }) });
    return this.#outbox.drained(Math.max(0, until - at));
  }

  /** The id is derived from the content, so that an event which is sent twice is recognised. */
  #event(what: Parameters<typeof builderEventId>[1], at: number, body: Body): void {
    const event = {
      v: EVENT_VERSION,
      id: builderEventId(this.#o.identity, what),
      at: new Date(at).toISOString(),
      ...this.#o.identity,
      ...body,
    };
    this.#outbox.event(JSON.stringify(BuilderEventSchema.parse(event)));
  }
}

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Body = Without<BuilderEvent, 'v' | 'id' | 'at' | keyof Identity>;

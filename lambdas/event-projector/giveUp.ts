import { createHash } from 'node:crypto';
import { z } from 'zod';
import { s3Keys } from '../../contract/names.ts';
import type { Documents } from '../shared/documents.ts';
import type { Log } from '../shared/logger.ts';
import type { Clock, DeploymentStore } from '../shared/ports.ts';
import type { Poison } from './project.ts';

/** As many tries as the event source has with provisioned pollers, and longer than a short outage. */
export const GIVE_UP = { tries: 10, afterMs: 15 * 60_000, alone: 3 } as const;
const DAY_MS = 24 * 3_600_000;
const MAX_MESSAGES = 1_000;

const FailingSchema = z.object({
  /** By offset. */
  messages: z
    .record(
      z.string(),
      z.object({
        /** Offsets begin anew with a new log, and there they name other messages. */
        digest: z.string(),
        tries: z.number(),
        since: z.number(),
        /** How often it was begun by itself, after the last common try. */
        alone: z.number().default(0),
        parked: z.boolean().default(false),
      }),
    )
    .default({}),
});
type Failing = z.infer<typeof FailingSchema>['messages'];

/** Tells messages apart that have had the same offset. */
export const digestOf = (value: string) => createHash('sha256').update(value).digest('hex').slice(0, 16);

export interface DeliveredMessage {
  readonly poison: Omit<Poison, 'reason'>;
  /** As Kafka has it (ms). */
  readonly sentAt: number;
}

export interface RunMessage {
  readonly offset: number;
  /** Projects this message alone. */
  readonly project: () => Promise<void>;
}

export interface GiveUpDeps {
  readonly documents: Documents;
  readonly store: Pick<DeploymentStore, 'probe'>;
  readonly park: (poison: Poison) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One delivery of messages of one partition. */
export interface Delivery {
  /** Given up in an earlier delivery. */
  isParked(offset: number): boolean;
  /** Projects a run, or after too many tries each of its messages by itself. Throws where the run has to come again. */
  project(run: readonly RunMessage[], projectRun: () => Promise<void>): Promise<void>;
}

export type GiveUp = (messages: readonly DeliveredMessage[]) => Promise<Delivery>;

/**
 * For event sources that deliver a failed batch again until it succeeds: without this one message that always fails would
 * stop its partition until it expires. Tries are counted in the bucket, since the next try may be another process: after a
 * failure, and before the try where the message has failed before or is old, since a function that is ended for its time
 * tells nothing. After the last one each message of the run is projected by itself, and what still fails is parked; but not
 * in an outage, in which all would fail.
 */
export function createGiveUp({ documents, store, park, clock, log }: GiveUpDeps): GiveUp {
  return async (messages) => {
    const { topic, partition, offset: firstOffset } = (messages[0] as DeliveredMessage).poison;
    const key = s3Keys.failing(topic, partition);
    const delivered = new Map(messages.map((m) => [m.poison.offset, { ...m, digest: digestOf(m.poison.value) }]));
    const done = new Set<number>();

    const isOfUse = (offset: number, { digest, since, parked }: Failing[string]) => {
      const message = delivered.get(offset);
      if (message) return message.digest === digest && (parked || !done.has(offset));
      return offset >= firstOffset && clock.now() - since < DAY_MS;
    };
    const select = (failing: Failing = {}): Failing =>
      Object.fromEntries(
        Object.entries(failing)
          .filter(([offset, entry]) => isOfUse(Number(offset), entry))
          .toSorted(([a], [b]) => Number(a) - Number(b))
          .slice(0, MAX_MESSAGES),
      );
    // Where the bucket is away much can be projected all the same.
    let known = select((await documents.read(key, FailingSchema).catch(() => null))?.messages);

    const change = async (offset: number, next: (before: Failing[string]) => Failing[string]) => {
      const { digest = '' } = delivered.get(offset) ?? {};
      const fresh = { digest, tries: 0, since: clock.now(), alone: 0, parked: false };
      const after = await documents.change(key, FailingSchema, (before) => {
        const kept = select(before?.messages);
        return { messages: { ...kept, [offset]: next(kept[offset] ?? fresh) } };
      });
      known = after?.messages ?? {};
      return known[offset] ?? fresh;
    };
    const noteTry = (offset: number) => change(offset, (before) => ({ ...before, tries: before.tries + 1 }));

    const projectAlone = async ({ offset, project }: RunMessage) => {
      const { alone } = await change(offset, (before) => ({ ...before, alone: before.alone + 1 }));
      const failed = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
      const error =
        alone > GIVE_UP.alone ? new Error('it never comes to an end') : await project().then(() => null, failed);
      if (error) {
        await store.probe();
        log.error('A message that fails always was parked', { topic, partition, offset, error });
        const { poison } = delivered.get(offset) as DeliveredMessage;
        await park({ ...poison, reason: `it fails always: ${error.message}` });
        await change(offset, (before) => ({ ...before, parked: true }));
      } else done.add(offset);
    };

    return {
      isParked: (offset) => known[offset]?.parked === true,
      async project(run, projectRun) {
        const { offset } = run[0] as RunMessage;
        const isOld = clock.now() - (delivered.get(offset)?.sentAt ?? 0) >= GIVE_UP.afterMs;
        const noted = known[offset] || isOld ? await noteTry(offset) : null;
        if (noted && noted.tries > GIVE_UP.tries && clock.now() - noted.since >= GIVE_UP.afterMs) {
          await store.probe();
          for (const message of run) await projectAlone(message);
          return;
        }
        try {
          await projectRun();
          done.add(offset);
        } catch (error) {
          if (!noted) await noteTry(offset);
          throw error;
        }
      },
    };
  };
}

import { z } from 'zod';
import { s3Keys } from '../../contract/names.ts';
import type { Documents } from '../shared/documents.ts';
import type { Log } from '../shared/logger.ts';
import type { Clock, DeploymentStore } from '../shared/ports.ts';
import type { Poison } from './project.ts';

/** As many tries as the event source has with provisioned pollers, and longer than a short outage. */
export const GIVE_UP = { tries: 10, afterMs: 15 * 60_000 } as const;

const FailingSchema = z.object({ offset: z.number(), tries: z.number(), since: z.number() });

/** One message of a run that could not be projected. */
export interface FailedMessage {
  readonly poison: Omit<Poison, 'reason'>;
  /** Projects this message alone. */
  readonly project: () => Promise<void>;
}

export interface GiveUpDeps {
  readonly documents: Documents;
  readonly store: Pick<DeploymentStore, 'get'>;
  readonly park: (poison: Poison) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** @returns whether the run is dealt with, so that the partition may go on after it */
export type GiveUp = (run: readonly FailedMessage[]) => Promise<boolean>;

/**
 * For event sources that deliver a failed batch again until it succeeds: without this one message that always fails would
 * stop its partition until it expires. Tries are counted in the bucket, since the next try may be another process. After the
 * last one each message of the run is projected by itself, and what still fails is parked; but not in an outage, in which all
 * would fail.
 */
export function createGiveUp({ documents, store, park, clock, log }: GiveUpDeps): GiveUp {
  return async (run) => {
    const first = run[0];
    if (!first) return true;
    const { topic, partition, offset } = first.poison;
    const now = clock.now();
    const failing = await documents.change(s3Keys.failing(topic, partition), FailingSchema, (before) =>
      before?.offset === offset ? { ...before, tries: before.tries + 1 } : { offset, tries: 1, since: now },
    );
    if (!failing || failing.tries <= GIVE_UP.tries || now - failing.since < GIVE_UP.afterMs) return false;
    // Throws where Redis is not there.
    await store.get('none');
    for (const { poison, project } of run)
      try {
        await project();
      } catch (error) {
        log.error('A message that fails always was parked', { topic, partition, offset: poison.offset, error });
        await park({ ...poison, reason: `it fails always: ${error instanceof Error ? error.message : String(error)}` });
      }
    return true;
  };
}

import { PromotionNotesSchema, type StoredNotes } from '../../contract/jobs.ts';

/** Workers that have died or run out of time over this promotion, including the one whose lease has just expired. */
export const countLapses = ({
  notes,
  leaseExpired,
}: {
  readonly notes: StoredNotes;
  readonly leaseExpired: boolean;
}): number => (PromotionNotesSchema.shape.lapses.safeParse(notes.lapses).data ?? 0) + Number(leaseExpired);

export const recordLapses = (lapses: number): StoredNotes => PromotionNotesSchema.encode({ lapses }) as StoredNotes;

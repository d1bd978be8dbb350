import { CloneNotesSchema, type StoredNotes } from '../../contract/jobs.ts';
import type { Plan } from '../../contract/plan.ts';
import { type NotedJob, readCloneNote, writeCloneNotes } from './jobNotes.ts';

type Job = Pick<NotedJob, 'notes'>;

/** A plan was decided on; its builds are enqueued in the same step as this note. */
export const recordPlan = (plan: Plan): StoredNotes => writeCloneNotes({ plan });
export const hasPlan = ({ notes }: Job): boolean => Boolean(notes.plan);

/** The plan that an earlier holder has decided on. Throws where it cannot be read: another one must not take its place. */
export const recordedPlan = ({ notes }: Job): Plan | null =>
  notes.plan ? (CloneNotesSchema.shape.plan.parse(notes.plan) ?? null) : null;

/** Analyses that will have failed with this one. */
export const countFailedAnalysis = (job: Job): number => (readCloneNote(job, 'tries') ?? 0) + 1;
/** Times that the job was given back for an outage, with this one. */
export const countOutage = (job: Job): number => (readCloneNote(job, 'faults') ?? 0) + 1;
export const recordOutage = (faults: number): StoredNotes => writeCloneNotes({ faults });
export const recordFailedAnalysis = (tries: number): StoredNotes => writeCloneNotes({ tries });

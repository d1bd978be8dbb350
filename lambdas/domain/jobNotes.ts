import {
  type BuildNotes,
  BuildNotesSchema,
  type CloneNotes,
  CloneNotesSchema,
  type StoredNotes,
} from '../../contract/jobs.ts';

/** A job as its queue has it, as far as its state is in its notes. */
export interface NotedJob {
  /** Counts from 1. */
  readonly attempt: number;
  readonly notes: StoredNotes;
}

/** A note that cannot be read counts as missing, so that it does not block its job. */
const readNote = <T>(field: { safeParse(text: unknown): { data?: T } }, text: string | undefined): T | undefined =>
  text === undefined ? undefined : field.safeParse(text).data;

export const readBuildNote = <K extends keyof BuildNotes>({ notes }: Pick<NotedJob, 'notes'>, name: K) =>
  readNote<unknown>(BuildNotesSchema.shape[name], notes[name]) as BuildNotes[K];

export const readCloneNote = <K extends keyof CloneNotes>({ notes }: Pick<NotedJob, 'notes'>, name: K) =>
  readNote<unknown>(CloneNotesSchema.shape[name], notes[name]) as CloneNotes[K];

/** Only what is given is changed: a queue merges notes. */
export const writeBuildNotes = (notes: BuildNotes): StoredNotes => BuildNotesSchema.encode(notes) as StoredNotes;
export const writeCloneNotes = (notes: CloneNotes): StoredNotes => CloneNotesSchema.encode(notes) as StoredNotes;

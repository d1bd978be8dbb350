import { z } from 'zod';
import { s3Keys } from '../../../contract/names.ts';
import type { Documents } from '../documents.ts';
import { openProjectDocuments, type ProjectIdentity } from './projectDocuments.ts';

/** Commits and pull requests of a project that are remembered, newest last; of others a report may be repeated. */
const MAX_COMMITS = 500;
const MAX_PULLS = 200;

/** How far a deployment was told of: later ones and later states of it have not been told yet. */
const ToldSchema = z.object({ deploymentId: z.string(), rank: z.int() });
export type Told = z.infer<typeof ToldSchema>;

const ToldPullSchema = z.object({
  number: z.int(),
  /** The newest deployment of the pull request. */
  deploymentId: z.string(),
  /** Absent: it is known and was not told yet. */
  told: ToldSchema.optional(),
  commentId: z.string().optional(),
});
export type ToldPull = z.infer<typeof ToldPullSchema>;

const ToldCommitSchema = z.object({ commit: z.string(), told: ToldSchema });

const RunSchema = z.object({
  deploymentId: z.string(),
  checkId: z.string().optional(),
  /** GitHub's id of it among its environments, and the rank that was told there last. */
  environmentId: z.string().optional(),
  rank: z.int().optional(),
  /** It was told as what production shows. */
  production: z.boolean().optional(),
});
type Run = z.infer<typeof RunSchema>;

/** GitHub's id of what it shows of production, and whose it is. */
const ActiveSchema = z.object({ deploymentId: z.string(), environmentId: z.string() });
export type Active = z.infer<typeof ActiveSchema>;

const LedgerSchema = z.object({
  v: z.literal(1),
  /** The host takes no call of this project's token before (ms). */
  waitUntil: z.number().optional(),
  /** Calls in a row that the host has not answered. */
  failures: z.int().optional(),
  commits: z.array(ToldCommitSchema),
  /** What forks have proposed, apart from them: a stranger may propose a commit of ours. */
  forks: z.array(ToldCommitSchema).optional(),
  pulls: z.array(ToldPullSchema),
  /** What the App has made at GitHub of deployments, newest last. */
  runs: z.array(RunSchema).optional(),
  /** What GitHub's environments show as production's. Absent in ledgers of earlier versions. */
  active: ActiveSchema.optional(),
  /** Made at GitHub for a release, and not active yet. */
  releasing: z.object({ releaseId: z.string(), environmentId: z.string() }).optional(),
});
export type Ledger = z.infer<typeof LedgerSchema>;

const EMPTY: Ledger = { v: 1, commits: [], pulls: [] };

/** What a project's git host has been told, so that no older report follows a newer one. */
export interface LedgerStore {
  read(project: ProjectIdentity): Promise<Ledger>;
  change(project: ProjectIdentity, change: (before: Ledger) => Ledger): Promise<Ledger>;
}

export function openLedgers(documents: Documents): LedgerStore {
  const owned = openProjectDocuments(documents);
  const keyOf = ({ projectId }: ProjectIdentity) => s3Keys.gitReports(projectId);
  return {
    read: async (project) => (await owned.read(project, keyOf(project), LedgerSchema)) ?? EMPTY,
    change: async (project, change) =>
      (await owned.change(project, keyOf(project), LedgerSchema, (before) => change(before ?? EMPTY))) ?? EMPTY,
  };
}

/** Ids of deployments are in the order in which they were made; among states of one deployment the rank decides. */
export const isNewer = (a: Told, b: Told | undefined): boolean =>
  !b || a.deploymentId > b.deploymentId || (a.deploymentId === b.deploymentId && a.rank > b.rank);

/** Whose commits: those of the project's repository, or those of its forks. Neither can push out the other. */
export type CommitList = 'commits' | 'forks';

export const findTold = (ledger: Ledger, list: CommitList, commit: string): Told | undefined =>
  ledger[list]?.find((one) => one.commit === commit)?.told;

export function noteCommit(ledger: Ledger, list: CommitList, commit: string, told: Told): Ledger {
  if (!isNewer(told, findTold(ledger, list, commit))) return ledger;
  const others = (ledger[list] ?? []).filter((one) => one.commit !== commit);
  return { ...ledger, [list]: [...others, { commit, told }].slice(-MAX_COMMITS) };
}

/** A pull request's newest deployment; an older one than is known changes nothing. */
export function linkPull(ledger: Ledger, number: number, deploymentId: string): Ledger {
  const known = ledger.pulls.find((one) => one.number === number);
  if (known && known.deploymentId >= deploymentId) return ledger;
  const others = ledger.pulls.filter((one) => one !== known);
  return { ...ledger, pulls: [...others, { ...known, number, deploymentId }].slice(-MAX_PULLS) };
}

export function noteComment(ledger: Ledger, number: number, told: Told, commentId: string | undefined): Ledger {
  const pulls = ledger.pulls.map((pull): ToldPull => {
    if (pull.number !== number) return pull;
    const newest = isNewer(told, pull.told) ? told : pull.told;
    return { ...pull, told: newest, ...(commentId !== undefined && { commentId }) };
  });
  return { ...ledger, pulls };
}

export const findRun = ({ runs }: Ledger, deploymentId: string): Run | undefined =>
  runs?.find((run) => run.deploymentId === deploymentId);

export function noteRun(ledger: Ledger, deploymentId: string, run: Omit<Run, 'deploymentId'>): Ledger {
  const others = (ledger.runs ?? []).filter((one) => one.deploymentId !== deploymentId);
  const known = findRun(ledger, deploymentId);
  return { ...ledger, runs: [...others, { ...known, ...run, deploymentId }].slice(-MAX_COMMITS) };
}

/** What GitHub shows of production, as far as it was told. */
export function findActive({ active, runs = [] }: Ledger): Active | undefined {
  if (active) return active;
  const newest = runs
    .filter((run) => run.production && run.environmentId !== undefined)
    .reduce<Run | undefined>((a, b) => (a && a.deploymentId > b.deploymentId ? a : b), undefined);
  return newest && { deploymentId: newest.deploymentId, environmentId: newest.environmentId! };
}

/** No report of the project is tried before then (ms). */
export const noteWait = ({ waitUntil, failures = 0, ...ledger }: Ledger, until: number): Ledger => ({
  ...ledger,
  waitUntil: Math.max(waitUntil ?? 0, until),
  failures: failures + 1,
});

export function noteAnswered(ledger: Ledger): Ledger {
  const { waitUntil, failures, ...rest } = ledger;
  return waitUntil === undefined && failures === undefined ? ledger : rest;
}

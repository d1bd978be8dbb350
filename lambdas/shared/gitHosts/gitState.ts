import { z } from 'zod';
import { ConnectionHostSchema } from '../../../contract/gitHosts.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { ProjectSettings } from '../../../contract/project.ts';
import type { Documents } from '../documents.ts';
import { openProjectDocuments, type ProjectIdentity } from './projectDocuments.ts';

/** A pull request of a fork that no member has looked at yet. */
export const HeldRequestSchema = z.object({
  number: z.number(),
  commit: z.string(),
  /** Where the fork is, made of the project's own URL. */
  gitUrl: z.string(),
  /** Full name of the fork, and its branch. */
  from: z.string(),
  branch: z.string(),
  title: z.string().optional(),
  author: z.string().optional(),
  at: z.iso.datetime(),
});
export type HeldRequest = z.infer<typeof HeldRequestSchema>;

/** The repository that a project is connected with. What was learned of one is nothing for another. */
export const ConnectedSchema = z.object({
  host: ConnectionHostSchema,
  gitUrl: z.string().optional(),
  repository: z.string(),
});
export type Connected = z.infer<typeof ConnectedSchema>;

/** What was learned of a project's repository. */
const GitStateSchema = z.object({
  v: z.literal(1),
  of: ConnectedSchema.optional(),
  /** By which its host knows the repository, also after it was renamed. */
  repositoryId: z.string().optional(),
  held: z.array(HeldRequestSchema),
  /** Commits of forks that a member has approved. */
  approved: z.array(z.object({ number: z.number(), commit: z.string(), gitUrl: z.string() })).optional(),
  /** Open pull requests of the repository's own branches that have a preview. */
  shown: z.array(z.object({ number: z.number(), branch: z.string() })).optional(),
  /** The last closing of each preview, newest first: what is deployed after it is another deployment than before. */
  closings: z.array(z.object({ branch: z.string(), id: z.string() })).optional(),
  /** The newest commits whose authors asked not to deploy them. */
  skipped: z.array(z.string()).optional(),
});
type GitState = z.infer<typeof GitStateSchema>;

/** The oldest are forgotten: strangers may open as many pull requests as they like. */
const MAX_HELD = 100;
const MAX_APPROVED = 200;
const MAX_SHOWN = 500;
const MAX_CLOSINGS = 500;
const MAX_SKIPPED = 100;

/** Everything is kept for one connection; with another one nothing of it is left. */
export interface GitStateStore {
  /** @param of Default: whatever there is, of an earlier connection too. */
  read(project: ProjectIdentity, of?: Connected): Promise<Omit<GitState, 'v'>>;
  learnRepository(project: ProjectIdentity, of: Connected, repositoryId: string): Promise<void>;
  /** The next delivery by the name counts again, whichever repository has it: a member has said so. */
  forgetRepository(project: ProjectIdentity): Promise<void>;
  /** What was learned stays with the repository when it gets another name. */
  moveRepository(project: ProjectIdentity, from: Connected, to: Connected): Promise<void>;
  /** In place of an earlier commit of the same pull request. */
  hold(project: ProjectIdentity, of: Connected, request: HeldRequest): Promise<void>;
  /** Takes a pull request out. */
  release(project: ProjectIdentity, of: Connected, number: number): Promise<void>;
  /** Takes a pull request out at this commit, and remembers that it may be built. */
  approve(project: ProjectIdentity, of: Connected, request: HeldRequest): Promise<void>;
  /** Notes that a pull request of an own branch has a preview. */
  show(project: ProjectIdentity, of: Connected, number: number, branch: string): Promise<void>;
  /** Notes that it was closed. @returns true where another open pull request shows the branch */
  hide(project: ProjectIdentity, of: Connected, number: number, branch: string): Promise<boolean>;
  /** Notes that the preview of a branch or of a fork's pull request ends. */
  noteClosing(project: ProjectIdentity, of: Connected, branch: string, id: string): Promise<void>;
  /** Notes that a commit is not to be deployed, whichever delivery leads to it. */
  noteSkipped(project: ProjectIdentity, of: Connected, commit: string): Promise<void>;
}

const EMPTY: GitState = { v: 1, held: [] };

/** The connection of a project; undefined where it has none. */
export const connectedWith = ({ connection, gitUrl }: ProjectSettings): Connected | undefined =>
  connection && {
    host: connection.host,
    repository: connection.repository,
    ...(gitUrl !== undefined && { gitUrl }),
  };

export const isSameConnection = (a: Connected | undefined, b: Connected): boolean =>
  a?.host === b.host && a.gitUrl === b.gitUrl && a.repository.toLowerCase() === b.repository.toLowerCase();

/** True where a member has approved this commit of a fork before. */
export const isApproved = (
  { approved = [] }: Pick<GitState, 'approved'>,
  request: Pick<HeldRequest, 'number' | 'commit' | 'gitUrl'>,
): boolean =>
  approved.some(
    ({ number, commit, gitUrl }) => number === request.number && commit === request.commit && gitUrl === request.gitUrl,
  );

/** The last closing of the preview of a branch; undefined where there was none lately. */
export const findClosing = ({ closings = [] }: Pick<GitState, 'closings'>, branch: string): string | undefined =>
  closings.find((closing) => closing.branch === branch)?.id;

export function openGitState(documents: Documents): GitStateStore {
  const owned = openProjectDocuments(documents);
  const change = async (project: ProjectIdentity, of: Connected, how: (state: GitState) => GitState): Promise<void> => {
    await owned.change(project, s3Keys.gitState(project.projectId), GitStateSchema, (before) => {
      const state = before && isSameConnection(before.of, of) ? before : { ...EMPTY, of };
      const after = how(state);
      return after === state ? before : after;
    });
  };
  return {
    async read(project, of) {
      const state = (await owned.read(project, s3Keys.gitState(project.projectId), GitStateSchema)) ?? EMPTY;
      return of === undefined || isSameConnection(state.of, of) ? state : EMPTY;
    },
    learnRepository: (project, of, repositoryId) =>
      change(project, of, (state) => (state.repositoryId === repositoryId ? state : { ...state, repositoryId })),
    async forgetRepository(project) {
      await owned.change(project, s3Keys.gitState(project.projectId), GitStateSchema, (before) => {
        const { repositoryId, ...state } = before ?? EMPTY;
        return repositoryId === undefined ? before : state;
      });
    },
    moveRepository: (project, from, to) => change(project, from, (state) => ({ ...state, of: to })),
    hold: (project, of, request) =>
      change(project, of, (state) => {
        const { number, commit } = request;
        if (state.held.some((held) => held.number === number && held.commit === commit)) return state;
        const others = state.held.filter((held) => held.number !== number);
        return { ...state, held: [request, ...others].slice(0, MAX_HELD) };
      }),
    release: (project, of, number) =>
      change(project, of, (state) => {
        const held = state.held.filter((one) => one.number !== number);
        return held.length === state.held.length ? state : { ...state, held };
      }),
    approve: (project, of, { number, commit, gitUrl }) =>
      change(project, of, (state) => {
        const held = state.held.filter((one) => one.number !== number || one.commit !== commit);
        const approved = isApproved(state, { number, commit, gitUrl })
          ? state.approved
          : [{ number, commit, gitUrl }, ...(state.approved ?? [])].slice(0, MAX_APPROVED);
        return { ...state, held, approved };
      }),
    show: (project, of, number, branch) =>
      change(project, of, (state) => {
        const { shown = [] } = state;
        if (shown.some((one) => one.number === number && one.branch === branch)) return state;
        const others = shown.filter((one) => one.number !== number);
        return { ...state, shown: [{ number, branch }, ...others].slice(0, MAX_SHOWN) };
      }),
    async hide(project, of, number, branch) {
      let isShown = false;
      await change(project, of, (state) => {
        const { shown = [] } = state;
        const others = shown.filter((one) => one.number !== number);
        isShown = others.some((one) => one.branch === branch);
        return others.length === shown.length ? state : { ...state, shown: others };
      });
      return isShown;
    },
    noteClosing: (project, of, branch, id) =>
      change(project, of, (state) => {
        const others = (state.closings ?? []).filter((closing) => closing.branch !== branch);
        return { ...state, closings: [{ branch, id }, ...others].slice(0, MAX_CLOSINGS) };
      }),
    noteSkipped: (project, of, commit) =>
      change(project, of, (state) => {
        const { skipped = [] } = state;
        return skipped.includes(commit) ? state : { ...state, skipped: [commit, ...skipped].slice(0, MAX_SKIPPED) };
      }),
  };
}

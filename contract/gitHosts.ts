import { z } from 'zod';

/** The git hosts that Veren takes deliveries from and reports to; each has one adapter on either side. */
export const GIT_HOSTS = ['github', 'gitlab', 'gitea', 'bitbucket'] as const;
export const GitHostSchema = z.enum(GIT_HOSTS);
export type GitHost = z.infer<typeof GitHostSchema>;

/** What a project's repository may be on: such a host, or `git`, a server or folder without any; that can only be watched. */
export const ConnectionHostSchema = z.enum([...GIT_HOSTS, 'git']);
export type ConnectionHost = z.infer<typeof ConnectionHostSchema>;

const commit = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
/** Full name on its host, as in `owner/name` or `group/subgroup/name`. */
const repositoryName = z.string().min(1).max(1_024);

/** A repository as a delivery names it. `id` stays when it is renamed. */
export const HostedRepositorySchema = z.object({
  id: z.string().max(100).optional(),
  name: repositoryName,
  /** URL for git, over https (http where the host has no other). */
  gitUrl: z.string().max(2_048),
});
export type HostedRepository = z.infer<typeof HostedRepositorySchema>;

/** What a verified delivery says, whichever host has sent it. Everything in it is still foreign text. */
export const GitDeliverySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('push'),
    repository: HostedRepositorySchema,
    /** A branch or a tag, by its short name. */
    ref: z.object({ kind: z.enum(['branch', 'tag']), name: z.string().min(1).max(1_024) }),
    /** Null where the ref was deleted. */
    commit: commit.nullable(),
    /** Null for a new ref. A force push has a `before` that is no ancestor; nothing depends on it. */
    before: commit.nullable(),
    /** Message of the newest commit, where the host tells it, for `[skip ci]`. */
    message: z.string().max(10_000).optional(),
    pusher: z.string().max(200).optional(),
  }),
  z.object({
    kind: z.literal('pullRequest'),
    repository: HostedRepositorySchema,
    /** Merge requests of GitLab are pull requests here. */
    number: z.int().positive(),
    action: z.enum(['changed', 'closed']),
    draft: z.boolean(),
    title: z.string().max(1_000).optional(),
    /** Some hosts abbreviate it. */
    commit: z.string().regex(/^[0-9a-f]{7,64}$/),
    /** Message of that commit, where the host tells it. */
    message: z.string().max(10_000).optional(),
    /** The branch that is proposed, in `from`. */
    branch: z.string().min(1).max(1_024),
    base: z.string().min(1).max(1_024),
    /** Where the branch is: another repository for a fork, which is foreign code. */
    from: HostedRepositorySchema,
    isFork: z.boolean(),
    author: z.string().max(200).optional(),
  }),
  z.object({ kind: z.literal('renamed'), repository: HostedRepositorySchema, formerName: repositoryName.optional() }),
  /** Sent by hosts when a hook is made, and every kind of event that nothing follows from. */
  z.object({ kind: z.literal('nothing'), reason: z.string().max(300) }),
]);
export type GitDelivery = z.infer<typeof GitDeliverySchema>;

/** What started a deployment, in its record; absent: a call of the API. */
export const TriggerSchema = z.object({
  kind: z.enum(['push', 'pullRequest', 'deployHook']),
  host: ConnectionHostSchema.optional(),
  /** Full name of the repository on its host, for reports. */
  repository: repositoryName.optional(),
  /** Number of the pull request. */
  number: z.int().positive().optional(),
  /** The commit that was named: the one to report to, also where its deployment never gets to a plan. */
  commit: commit.optional(),
  isFork: z.boolean().optional(),
  by: z.string().max(200).optional(),
});
export type Trigger = z.infer<typeof TriggerSchema>;

/** How a project is connected with its repository's host; part of the project's settings. */
export const GitConnectionSchema = z.strictObject({
  host: ConnectionHostSchema,
  /** Full name of the repository. */
  repository: repositoryName,
  /** Beginning of the host's API for a self-hosted one, which the stage must allow. Default: the public host's. */
  apiUrl: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .optional(),
  /** The repository is looked at every few seconds, for a laptop that no webhook reaches. Refused elsewhere. */
  watch: z.boolean().optional(),
  /** GitHub only: the owner's App reads the repository and reports to it, in place of a token and of a webhook. Default: false. */
  app: z.boolean().optional(),
  /** Which deliveries deploy. */
  previews: z.enum(['branches', 'pullRequests', 'none']).optional(),
  /** Tags that become production deployments, as a pattern (`v*`). Default: tags deploy nothing. */
  productionTags: z.string().min(1).max(200).optional(),
  /** Drafts of pull requests are deployed. Default: true. */
  drafts: z.boolean().optional(),
  /** Pull requests of strangers (forks): built only after a member approves each commit, always, or never. Default: approve. */
  forks: z.enum(['approve', 'build', 'never']).optional(),
  /** Commit statuses are written. Default: true where a token is stored. */
  statuses: z.boolean().optional(),
  /** One comment per pull request is kept up to date. Default: true where a token is stored. */
  comments: z.boolean().optional(),
  /** With the App: GitHub's environments show the deployments. Default: true. */
  environments: z.boolean().optional(),
});
export type GitConnection = z.infer<typeof GitConnectionSchema>;

/** State of a commit as hosts know it; each adapter has its own word for it. */
export const COMMIT_STATES = ['pending', 'success', 'failure', 'canceled'] as const;
export type CommitState = (typeof COMMIT_STATES)[number];

/** What a host is told of one deployment. */
export interface CommitReport {
  readonly commit: string;
  readonly state: CommitState;
  /** One sentence, at most 140 characters. */
  readonly description: string;
  /** Where it leads to: the deployment's address, or the API's record of it. */
  readonly url?: string | undefined;
  /** Name of the status; the same for every report of a project: `veren/{projectId}`, of its forks `veren/{projectId}/fork`. */
  readonly context: string;
}

/** Job of queue `delivery`: a verified delivery, of which the projects are known. */
export const DeliveryJobSchema = z.object({
  /** That of the path, or all that the App's delivery concerns. */
  projectIds: z.array(z.string()).min(1).max(100),
  owner: z.string(),
  host: ConnectionHostSchema,
  delivery: GitDeliverySchema,
  receivedAt: z.number(),
});
export type DeliveryJob = z.infer<typeof DeliveryJobSchema>;

/** Job of queue `report`: the host is to be told how a deployment stands; the newest state is read when it is worked on. */
export const ReportJobSchema = z.object({
  projectId: z.string(),
  owner: z.string(),
  deploymentId: z.string(),
  /** A pull request that shows the deployment, where its record names none: a push was there first. */
  number: z.int().positive().optional(),
  /** There is no deployment yet: a stranger's pull request waits for a member. The id is one of that time. */
  held: z.object({ number: z.int().positive(), commit }).optional(),
  /** Production shows the deployment since this release, by which it may have come back. */
  releaseId: z.string().optional(),
});
export type ReportJob = z.infer<typeof ReportJobSchema>;

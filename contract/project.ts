import { z } from 'zod';
import { BackendOverridesSchema, FrontendOverridesSchema, ProjectIdSchema, RefSchema } from './api.ts';
import { TARGETS } from './builders.ts';
import { BudgetSchema } from './cost.ts';
import { GitOptionsSchema, PublicationSchema } from './deployment-options.ts';
import { MAX_DOMAINS } from './domains.ts';
import { DEPLOYMENT_ID } from './events.ts';
import { GitConnectionSchema } from './gitHosts.ts';
import { MAX_NOTIFICATIONS, StoredNotificationSchema } from './notifications.ts';
import { EXPIRY_REASONS, FailureSchema, VariablesUsedSchema } from './record.ts';
import { CronsSchema, ServiceSettingsSchema } from './services.ts';

/** Whether a release was made by a successful production deployment, or asked for. */
export const RELEASE_KINDS = ['automatic', 'promote', 'rollback'] as const;

/** One line of a project's history: from this moment production served this deployment. */
export const ReleaseSchema = z.object({
  releaseId: z.string(),
  deploymentId: z.string(),
  kind: z.enum(RELEASE_KINDS),
  at: z.iso.datetime(),
  /** The name of the token that asked for it, or `veren` for an automatic one. */
  by: z.string(),
  reason: z.string().max(500).optional(),
  /** The parts that the deployment has. A release without a site leaves the one before where it is. Absent: a site. */
  targets: z.array(z.enum(TARGETS)).optional(),
  /** The version of the project's variables that its backend runs with; absent: those that the deployment began with. */
  variables: VariablesUsedSchema.optional(),
});
export type Release = z.infer<typeof ReleaseSchema>;

/**
 * A release whose backend has to answer with other variables first; production stays as it is meanwhile. With `error` it
 * has not, and the release was not made.
 */
export const NextReleaseSchema = ReleaseSchema.extend({
  variables: VariablesUsedSchema,
  error: FailureSchema.optional(),
});
export type NextRelease = z.infer<typeof NextReleaseSchema>;

/** How a preview may be opened: by everybody who has its address, by a link with a token, or with a password. */
export const PreviewProtectionSchema = z.enum(['none', 'link', 'password']);

export const ProjectSettingsSchema = z.strictObject({
  gitUrl: z.string().min(1).max(2_048).optional(),
  /** Default: the default branch of the repository. */
  productionBranch: RefSchema.optional(),
  /** The folder of the repository that the project is; deployments look at nothing else. Default: the whole of it. */
  rootDirectory: FrontendOverridesSchema.shape.path,
  frontend: z.union([z.literal(false), FrontendOverridesSchema]).optional(),
  backend: z.union([z.literal(false), BackendOverridesSchema]).optional(),
  git: GitOptionsSchema.optional(),
  /** How it is connected with its repository's host. */
  connection: GitConnectionSchema.optional(),
  publication: PublicationSchema.optional(),
  /**
   * Paths outside of the project's folder that its builds read, besides what its manifests name: a change there builds
   * it, too.
   */
  alsoReads: z.array(FrontendOverridesSchema.shape.path.unwrap()).max(50).optional(),
  /** Builds read the commit, branch or tag (`VEREN_GIT_*`), so every commit is built. Default: false. */
  usesCommit: z.boolean().optional(),
  /** Visitors of production see the maintenance page, with status 503. */
  maintenance: z.boolean().optional(),
  /** What builds may cost a month. Default: no limit. */
  budget: BudgetSchema.optional(),
  /** How the backend runs. */
  service: ServiceSettingsSchema.optional(),
  /** Calls of the released backend by schedule. */
  crons: CronsSchema.optional(),
  previews: z
    .strictObject({
      protection: PreviewProtectionSchema.optional(),
      /** Days for which a preview is kept after its last deployment. Default: 30. */
      keepDays: z.int().min(1).max(3_650).optional(),
    })
    .optional(),
  releases: z
    .strictObject({
      /** Released deployments that are kept, whatever their age. Default: 10. */
      keep: z.int().min(1).max(1_000).optional(),
      /** Days for which a released deployment is kept at least. Default: 30. */
      keepDays: z.int().min(1).max(3_650).optional(),
      /** Minutes for which the hashed assets of the release before stay reachable. Default: 60. */
      skewMinutes: z.int().min(0).max(10_080).optional(),
    })
    .optional(),
});
export type ProjectSettings = z.infer<typeof ProjectSettingsSchema>;

/** Releases that a project's document holds; older ones are in the audit list. */
export const MAX_RELEASES = 200;

/** Deployments of one project that expire at the same time. */
export const MAX_EXPIRING = 500;

/** Deployments of one project that unchanged ones show at the same time. */
export const MAX_REUSED = 500;

/** What was removed with a project so far. */
export const RemovedSchema = z.object({
  deployments: z.int(),
  /** Objects of the bucket and their bytes: sites, manifests, caches, variables, records, logs. */
  objects: z.int(),
  bytes: z.int(),
  images: z.int(),
  /** Host names at which something was shown. */
  addresses: z.int(),
});
export type Removed = z.infer<typeof RemovedSchema>;
export const NOTHING_REMOVED: Removed = { deployments: 0, objects: 0, bytes: 0, images: 0, addresses: 0 };

/** A deletion that was asked for. */
export const DeletionSchema = z.object({
  by: z.string(),
  at: z.iso.datetime(),
  /** It can be taken back until then. Absent: at once. */
  until: z.iso.datetime().optional(),
  /** The removal has begun, so it cannot be taken back; who works on it, and until when (ms). */
  removal: z.object({ holder: z.string(), leaseUntil: z.number() }).optional(),
  removed: RemovedSchema.optional(),
});

/** Faults of a git connection that a project shows; there are fewer codes. */
const MAX_GIT_FAULTS = 30;

/** What is wrong with a project's connection to its git host, in the sentences of the error table. */
export const GitFaultSchema = z.object({ code: z.string(), message: z.string(), at: z.iso.datetime() });

/**
 * A project as it is stored (`s3Keys.project`), changed only by conditional writes: the one truth about what production
 * serves. Everything else that knows it (routes, the copy in `__outputs/`) follows.
 */
export const ProjectDocumentSchema = z.object({
  v: z.literal(1),
  projectId: ProjectIdSchema,
  owner: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  settings: ProjectSettingsSchema,
  /** Random (base64url), made with the project: labels of addresses are derived from it and cannot be guessed. */
  addressKey: z.string().min(16),
  /** What production serves; null before the first release. */
  release: ReleaseSchema.nullable(),
  /** Newest first, `release` included. */
  releases: z.array(ReleaseSchema).max(MAX_RELEASES),
  /** What was asked for last and is not released yet, or could not be; gone with the next release of any kind. */
  nextRelease: NextReleaseSchema.optional(),
  /** Domains of its own, which show production; what each is waiting for is in its own document (`s3Keys.domain`). */
  domains: z.array(z.string()).max(MAX_DOMAINS).optional(),
  /** No successful deployment is released by itself while it is set. */
  pinned: z.object({ by: z.string(), at: z.iso.datetime() }).nullable(),
  /** The newest deployment that was released, or passed over while pinned: none up to it is released by itself. */
  considered: z.string().optional(),
  /** What opens previews where they need a password; a link's token is derived from `addressKey`. */
  previewPassword: z.object({ salt: z.string(), hash: z.string() }).optional(),
  /** Written by earlier versions in place of `gitFaults`. */
  gitFault: GitFaultSchema.optional(),
  /** What the git host refused, or told and was given up: newest first, one of each code; absent where all is well. */
  gitFaults: z.array(GitFaultSchema).max(MAX_GIT_FAULTS).optional(),
  /** Addresses that are told of its deployments and releases. */
  notifications: z.array(StoredNotificationSchema).max(MAX_NOTIFICATIONS).optional(),
  /** `DELETE` was asked for: after `until` everything goes. */
  deleting: DeletionSchema.optional(),
  /** The project is gone and its name is free. What remains says so. */
  deleted: z.object({ by: z.string(), at: z.iso.datetime(), removed: RemovedSchema }).optional(),
  /** An earlier project of this name was deleted then: what is older is not this project's. */
  deletedBefore: z.iso.datetime().optional(),
  /** Deployments that later, unchanged ones show: they are kept until then at least. */
  reused: z
    .array(z.object({ deploymentId: z.string().regex(DEPLOYMENT_ID), until: z.iso.datetime() }))
    .max(MAX_REUSED)
    .optional(),
  /** Deployments whose files are being removed: none of them may be released. `lambdas/shared/projects/expiry.ts` */
  expiring: z
    .array(
      z.object({
        deploymentId: z.string().regex(DEPLOYMENT_ID),
        at: z.iso.datetime(),
        reason: z.enum(EXPIRY_REASONS).optional(),
        /** Nothing of it is left. The mark stays for whoever has read the record before. */
        removed: z.boolean().optional(),
      }),
    )
    .max(MAX_EXPIRING)
    .optional(),
});
export type ProjectDocument = z.infer<typeof ProjectDocumentSchema>;

// --- answers --------------------------------------------------------------------------------------------------------

/** A project as the API gives it. */
export const ProjectViewSchema = ProjectDocumentSchema.pick({
  projectId: true,
  createdAt: true,
  updatedAt: true,
  settings: true,
  release: true,
  pinned: true,
}).extend({
  /** The newest of `gitFaults`. */
  gitFault: GitFaultSchema.optional(),
  /** What is wrong with its connection to its git host, newest first; absent where all is well. */
  gitFaults: z.array(GitFaultSchema).optional(),
  deleting: DeletionSchema.omit({ removal: true }).extend({ restorable: z.boolean() }).optional(),
});
export type ProjectView = z.infer<typeof ProjectViewSchema>;

export const ProjectListSchema = z.object({
  items: z.array(ProjectViewSchema),
  /** Give it as `cursor` for the next page; absent on the last. */
  cursor: z.string().optional(),
});

/** A JSON merge patch (RFC 7396) of the settings: what is `null` is removed. */
export const SettingsPatchSchema = z
  .record(z.string(), z.unknown())
  .describe('JSON merge patch (RFC 7396) of the settings: objects are merged, `null` removes a setting.');

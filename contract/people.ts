import { z } from 'zod';
import { ProjectIdSchema, wholeNumber } from './api.ts';

/** What a token may be used for. `deploy` includes `read`, `admin` includes both. */
export const SCOPES = ['read', 'deploy', 'admin'] as const;
export const ScopeSchema = z.enum(SCOPES);
export type Scope = z.infer<typeof ScopeSchema>;

/** What a member of an owner may do: `viewer` reads, `developer` deploys and releases, `admin` changes everything. */
export const ROLES = ['viewer', 'developer', 'admin'] as const;
export const RoleSchema = z.enum(ROLES);
export type Role = z.infer<typeof RoleSchema>;

const SCOPE_OF_ROLE: Readonly<Record<Role, Scope>> = { viewer: 'read', developer: 'deploy', admin: 'admin' };

/** The scope that a member of this role can have at most. */
export const scopeOfRole = (role: Role): Scope => SCOPE_OF_ROLE[role];

/** Whether a token of the scope `held` may do what needs `needed`. */
export const includesScope = (held: Scope, needed: Scope): boolean => SCOPES.indexOf(held) >= SCOPES.indexOf(needed);

/** What is allowed by both: of a token's scope and its member's role the lesser counts. */
export const lesserScope = (a: Scope, b: Scope): Scope => (includesScope(a, b) ? b : a);

/** Who has sent a request: what its token is good for. */
export const CallerSchema = z.object({
  owner: z.string(),
  /** The name of the token, as releases and the audit list show it. */
  name: z.string(),
  scope: ScopeSchema,
  /** The only projects that it may name. Absent: all of the owner. */
  projects: z.array(ProjectIdSchema).optional(),
  /** The member whose token it is. */
  member: z.string().optional(),
  /** Of a named token; absent for the stage's own and the laptop's file. */
  tokenId: z.string().optional(),
});
export type Caller = z.infer<typeof CallerSchema>;

/** False for a project that the caller's token is not good for: it is then answered as one that does not exist. */
export const mayUseProject = ({ projects }: Caller, projectId: string): boolean =>
  projects === undefined || projects.includes(projectId);

/** Projects that one token can be limited to. */
const MAX_PROJECTS_OF_TOKEN = 50;

const NAME = /^[A-Za-z0-9]([A-Za-z0-9 ._@+-]{0,62}[A-Za-z0-9])?$/;
const nameOf = (what: string) =>
  z
    .string()
    .min(1)
    .max(64)
    .regex(NAME, `must be the name of a ${what}: letters, digits, and blanks or ._@+- between them`);
export const MemberNameSchema = nameOf('member');
export const TokenNameSchema = nameOf('token');

export const MemberSchema = z.object({ name: MemberNameSchema, role: RoleSchema, addedAt: z.iso.datetime() });
export type Member = z.infer<typeof MemberSchema>;

/** What can be said of a token. The token itself is shown once, at its creation. */
export const TokenViewSchema = z.object({
  id: z.string(),
  name: TokenNameSchema,
  scope: ScopeSchema,
  projects: z.array(ProjectIdSchema).optional(),
  /** The member whose token it is: it may do no more than the member's role, and goes with the member. */
  member: MemberNameSchema.optional(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  expiresAt: z.iso.datetime().optional(),
  /** To the hour. Absent: never used. */
  lastUsedAt: z.iso.datetime().optional(),
});
export type TokenView = z.infer<typeof TokenViewSchema>;

/** A token as it is stored: its SHA-256 (hex) and not the token. */
export const StoredTokenSchema = TokenViewSchema.extend({ hash: z.string().regex(/^[0-9a-f]{64}$/) });
export type StoredToken = z.infer<typeof StoredTokenSchema>;

export const CreateTokenSchema = z.strictObject({
  name: TokenNameSchema,
  scope: ScopeSchema,
  /** The only projects that the token may name. Default: all of the owner. */
  projects: z
    .array(ProjectIdSchema)
    .min(1)
    .max(MAX_PROJECTS_OF_TOKEN)
    .refine((ids) => new Set(ids).size === ids.length, 'must not name a project twice')
    .meta({ uniqueItems: true })
    .optional(),
  member: MemberNameSchema.optional(),
  /** Days until it expires. Default: it does not. */
  expiresInDays: z.int().min(1).max(3_650).optional(),
});
export type CreateToken = z.infer<typeof CreateTokenSchema>;
export const CreatedTokenSchema = TokenViewSchema.extend({ token: z.string() });
export type CreatedToken = z.infer<typeof CreatedTokenSchema>;
export const TokenListSchema = z.object({ items: z.array(TokenViewSchema) });

export const PutMemberSchema = z.strictObject({ role: RoleSchema });
export const MemberListSchema = z.object({ items: z.array(MemberSchema) });

/** Members and tokens that an owner can have. */
export const MAX_MEMBERS = 200;
export const MAX_TOKENS = 200;

/** An owner as it is stored (`s3Keys.owner`), changed only by conditional writes. */
export const OwnerDocumentSchema = z.object({
  v: z.literal(1),
  owner: z.string(),
  members: z.array(MemberSchema),
  tokens: z.array(StoredTokenSchema),
});
export type OwnerDocument = z.infer<typeof OwnerDocumentSchema>;

/** One line of the audit list: who changed what. It never holds a secret. */
export const AuditEntrySchema = z.object({
  at: z.iso.datetime(),
  owner: z.string(),
  by: z.string(),
  /** E.g. `project.update`, `variable.set`, `release.rollback`, `token.create`. */
  action: z.string(),
  projectId: ProjectIdSchema.optional(),
  /** What was changed, e.g. the name of a variable or the id of a deployment. */
  subject: z.string().optional(),
  detail: z.string().max(1_000).optional(),
});
export type AuditEntry = z.infer<typeof AuditEntrySchema>;

export const AuditQuerySchema = z.strictObject({
  limit: wholeNumber(1, 100).default(50),
  cursor: z.string().max(128).optional(),
});
export const AuditListSchema = z.object({
  items: z.array(AuditEntrySchema),
  /** Give it as `cursor` for the next page; absent on the last. */
  cursor: z.string().optional(),
});
export type AuditList = z.infer<typeof AuditListSchema>;

const UseSchema = z.object({
  used: z.int(),
  /** Absent: none. */
  limit: z.int().optional(),
});
export const UsageSchema = z.object({
  builds: UseSchema.extend({ waiting: z.int() }),
  requestsPerMinute: UseSchema,
  deploymentsPerHour: UseSchema,
  storageBytes: UseSchema.extend({
    /** Projects that are not part of `used` yet; they are counted by later requests. */
    uncountedProjects: z.int(),
  }),
  members: UseSchema,
  tokens: UseSchema,
});
export type Usage = z.infer<typeof UsageSchema>;

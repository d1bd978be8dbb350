import { z } from 'zod';

/**
 * Backends that run. A *service* is the running backend of a project; a *version* of it is one deployment's artifact with
 * one version of the project's variables. Every version has an address of its own as long as its deployment is kept.
 */

/** `scale-to-zero`: runs while requests come (Lambda on AWS). `always-on`: WebSockets, long and background work (ECS). */
const SERVICE_KINDS = ['scale-to-zero', 'always-on'] as const;

const PATH = /^\/[\w.~!$&'()*+,;=:@%/-]*$/;
const deploymentId = z.string().regex(/^[a-z0-9]{1,40}$/);
const path = z.string().max(256).regex(PATH, 'must be a path that begins with /');

/** Longest answer to a health check, and what a version that is woken may take to listen. */
const MAX_HEALTH_SECONDS = 300;

export const ServiceSettingsSchema = z
  .strictObject({
    kind: z.enum(SERVICE_KINDS).optional(),
    memoryMb: z.int().min(128).max(10_240).optional(),
    /** Seconds until a request without an answer is ended. `scale-to-zero`: at most 900. */
    timeoutSeconds: z.int().min(1).max(3_600).optional(),
    /** Requests (`scale-to-zero`) that are worked on at the same time, in all copies together. */
    concurrency: z.int().min(1).max(1_000).optional(),
    /** Copies of an `always-on` service. */
    minTasks: z.int().min(1).max(50).optional(),
    maxTasks: z.int().min(1).max(50).optional(),
    /** A version is released when it has answered here with less than 500. */
    healthPath: path.optional(),
    /** Seconds within which it has to. */
    healthSeconds: z.int().min(1).max(MAX_HEALTH_SECONDS).optional(),
    /** Reaches what is in the platform's network, such as a database. */
    vpc: z.boolean().optional(),
    /**
     * Where the backend is on the project's host, without a `/` at the end; `/` is the whole host. It gets every path as
     * the visitor sent it, prefix included. Default: `/api`, or the whole host where there is no frontend.
     */
    pathPrefix: path.regex(/^\/$|[^/]$/, 'must not end with /').optional(),
  })
  .superRefine((settings, ctx) => {
    const { kind = 'scale-to-zero', timeoutSeconds = 0, minTasks = 1, maxTasks = minTasks } = settings;
    if (kind === 'scale-to-zero' && timeoutSeconds > 900)
      ctx.addIssue({ code: 'custom', path: ['timeoutSeconds'], message: 'is at most 900 for scale-to-zero' });
    if (maxTasks < minTasks)
      ctx.addIssue({ code: 'custom', path: ['maxTasks'], message: 'must not be less than minTasks' });
  });
type ServiceSettings = z.infer<typeof ServiceSettingsSchema>;

/** Settings with a value for everything but the prefix, whose default depends on the deployment. */
export type CompleteServiceSettings = {
  readonly [Name in Exclude<keyof ServiceSettings, 'pathPrefix'>]-?: NonNullable<ServiceSettings[Name]>;
};

export const DEFAULT_SERVICE: CompleteServiceSettings = {
  kind: 'scale-to-zero',
  memoryMb: 512,
  timeoutSeconds: 60,
  concurrency: 100,
  minTasks: 1,
  maxTasks: 2,
  healthPath: '/',
  healthSeconds: 30,
  vpc: false,
};

export function completeServiceSettings({ pathPrefix: _, ...given }: ServiceSettings = {}): CompleteServiceSettings {
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const complete: CompleteServiceSettings = { ...DEFAULT_SERVICE, ...(known as Partial<CompleteServiceSettings>) };
  return { ...complete, maxTasks: Math.max(complete.minTasks, complete.maxTasks) };
}

/** Where a deployment's backend is on the project's host. */
export const prefixOf = (settings: ServiceSettings | undefined, hasFrontend: boolean): string =>
  settings?.pathPrefix ?? (hasFrontend ? '/api' : '/');

/** True where a path belongs to the backend. `path` is what the visitor sent, without the query. */
export const isBelowPrefix = (prefix: string, requested: string): boolean =>
  prefix === '/' || requested === prefix || requested.startsWith(`${prefix}/`);

/** The most calls by schedule that a project may have. */
const MAX_CRONS = 20;
/** Five fields (minute, hour, day of month, month, day of week), in UTC. What they may hold is checked where it is read. */
const CronSchema = z.strictObject({ schedule: z.string().min(9).max(100), path });
export const CronsSchema = z.array(CronSchema).max(MAX_CRONS);
export type Cron = z.infer<typeof CronSchema>;

/** Sent with a request that a cron makes; a visitor's header of this name never reaches a backend. */
export const CRON_HEADER = 'x-veren-cron';

/** Names a version: the deployment whose artifact it is, and the version of the project's variables (0: none). */
export interface ServiceVersionId {
  readonly deploymentId: string;
  readonly variables: number;
}
const SERVICE_VERSION = /^([a-z0-9]{1,40})-(\d{1,15})$/;
export const ServiceVersionTextSchema = z.string().regex(SERVICE_VERSION);
/** As one word: of a route, an alias, a folder. */
export const serviceVersionText = ({ deploymentId, variables }: ServiceVersionId) => `${deploymentId}-${variables}`;
export function parseServiceVersion(text: string): ServiceVersionId | null {
  const [, id, variables] = SERVICE_VERSION.exec(text) ?? [];
  return id === undefined ? null : { deploymentId: id, variables: Number(variables) };
}

/**
 * `starting`: is being made, or checked. `running`: answers. `idle`: nothing runs, and a request wakes it. `crashed`: its
 * process ends again and again; a request tries once more. `absent`: there is none, or not any more. `not-run`: this
 * platform cannot run it (`reason`).
 */
const SERVICE_STATES = ['starting', 'running', 'idle', 'crashed', 'absent', 'not-run'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

/** How the process of a version has ended without being asked to. */
export const ServiceCrashSchema = z.object({
  at: z.iso.datetime(),
  /** `exit code 1`, `SIGSEGV`, `used more than 512 MB of memory`. */
  reason: z.string().max(300),
  lastLines: z.array(z.string()),
});
export type ServiceCrash = z.infer<typeof ServiceCrashSchema>;

/** What the record and the API say of a deployment's service. */
export const ServiceViewSchema = z.object({
  version: ServiceVersionTextSchema,
  state: z.enum(SERVICE_STATES),
  /** Why it is `not-run`, or how it is run (`as a process on this machine`). */
  reason: z.string().optional(),
  /** Production shows it. */
  isProduction: z.boolean(),
  /** Where production's backend is, and that of this deployment; in the record of a deployment only. */
  url: z.url().optional(),
  deploymentUrl: z.url().optional(),
  crashes: z.int().min(0).optional(),
  lastCrash: ServiceCrashSchema.optional(),
  startedAt: z.iso.datetime().optional(),
});
export type ServiceView = z.infer<typeof ServiceViewSchema>;

const SERVICE_LOG_STREAMS = ['stdout', 'stderr', 'system'] as const;
export const ServiceLogLineSchema = z.object({
  /** Grows from line to line of one project; not without gaps. A page continues after it. */
  seq: z.string(),
  at: z.iso.datetime(),
  deploymentId,
  stream: z.enum(SERVICE_LOG_STREAMS),
  line: z.string(),
});
export type ServiceLogLine = z.infer<typeof ServiceLogLineSchema>;

export const ServiceLogQuerySchema = z.strictObject({
  deployment: deploymentId.optional(),
  stream: z.enum(SERVICE_LOG_STREAMS).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  /** `seq` of the last line that is known. */
  after: z.string().max(200).optional(),
  limit: z.coerce.number().pipe(z.int().min(1).max(1_000)).default(200),
  follow: z.enum(['true', 'false']).optional(),
});
export type ServiceLogQuery = z.infer<typeof ServiceLogQuerySchema>;

/** Numbers of a project's service since `since`. */
const ServiceCountsSchema = z.object({
  since: z.iso.datetime(),
  requests: z.int().min(0),
  /** Answers from 500 on, and requests without one. */
  errors: z.int().min(0),
  coldStarts: z.int().min(0),
  /** Milliseconds until the answer began. */
  durationMs: z.object({ mean: z.number(), max: z.number() }),
});
export type ServiceCounts = z.infer<typeof ServiceCountsSchema>;

/** The running backend of a project. `counts` are absent where the platform does not run backends. */
export const ProjectServiceSchema = z.object({
  projectId: z.string(),
  /** Newest deployment first. */
  items: z.array(ServiceViewSchema),
  counts: ServiceCountsSchema.optional(),
});

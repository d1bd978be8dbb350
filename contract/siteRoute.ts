import { z } from 'zod';
import { ProjectIdSchema } from './api.ts';
import { DEPLOYMENT_ID } from './events.ts';
import { ServiceVersionTextSchema } from './services.ts';
import { RULE_ORDERS } from './site-rules/ruleOrder.ts';

/** What a host shows: one entry of the table that serving reads (CloudFront KeyValueStore; memory on a laptop). */
export const SiteRouteSchema = z.object({
  projectId: ProjectIdSchema,
  deploymentId: z.string().regex(DEPLOYMENT_ID),
  /** Releases before, newest first, whose hashed assets are still served until then (seconds since the epoch). */
  before: z.array(z.object({ deploymentId: z.string().regex(DEPLOYMENT_ID), until: z.int() })).optional(),
  /** Search engines are told not to list it: every address but production's. */
  noindex: z.boolean().optional(),
  /** SHA-256 (hex) of `salt` and the link token or password, without which nothing is shown. */
  protection: z.object({ kind: z.enum(['link', 'password']), salt: z.string(), hash: z.string() }).optional(),
  maintenance: z.boolean().optional(),
  /**
   * The deployment has `_redirects` or `_headers` (`rules` of its manifest): `first` where they come before a file,
   * `after` where they only say what is shown when there is none.
   */
  rules: z.enum(RULE_ORDERS).optional(),
  /**
   * The running backend: paths below the prefix go to this version of it. With the prefix `/` there is no site. It is
   * in the same entry as the deployment, so both halves are switched by one write.
   */
  service: z
    .object({
      prefix: z.string(),
      version: ServiceVersionTextSchema,
      /** Where the version is reached: a host name, or `scheme://host:port`. Absent on a laptop. */
      address: z.string().max(200).optional(),
    })
    .optional(),
});
export type SiteRoute = z.infer<typeof SiteRouteSchema>;

/** What CloudFront takes. Source: CloudFront developer guide, "Quotas on key value stores". */
export const SITE_TABLE_LIMITS = { keyBytes: 512, valueBytes: 1_024, keysPerCall: 50, storeBytes: 5 * 1_024 * 1_024 };

/**
 * A route as serving reads it, short enough for an entry of CloudFront's KeyValueStore; `viewer-request.js` reads these
 * letters. Releases before that find no room are left out, oldest first.
 */
const CompactRouteSchema = z.object({
  p: z.string(),
  d: z.string(),
  b: z.array(z.tuple([z.string(), z.number()])).optional(),
  n: z.literal(1).optional(),
  /** `l` (link) or `p` (password), salt, hash. */
  k: z.tuple([z.enum(['l', 'p']), z.string(), z.string()]).optional(),
  m: z.literal(1).optional(),
  /** `f` (first) or `a` (after). */
  r: z.enum(['f', 'a']).optional(),
  /** Prefix, version and address of the service. */
  s: z.union([z.tuple([z.string(), z.string()]), z.tuple([z.string(), z.string(), z.string()])]).optional(),
});

export function encodeRoute(route: SiteRoute): string {
  const { protection: kept, before = [], service } = route;
  for (let count = before.length; ; count--) {
    const compact: z.infer<typeof CompactRouteSchema> = {
      p: route.projectId,
      d: route.deploymentId,
      ...(count > 0 && { b: before.slice(0, count).map((one) => [one.deploymentId, one.until]) }),
      ...(route.noindex && { n: 1 }),
      ...(kept && { k: [kept.kind === 'link' ? 'l' : 'p', kept.salt, kept.hash] }),
      ...(route.maintenance && { m: 1 }),
      ...(route.rules && { r: route.rules === 'first' ? 'f' : 'a' }),
      ...(service && { s: compactService(service) }),
    };
    const text = JSON.stringify(compact);
    if (count === 0 || Buffer.byteLength(text) <= SITE_TABLE_LIMITS.valueBytes) return text;
  }
}

export function decodeRoute(text: string): SiteRoute {
  const { p, d, b, n, k, m, r, s } = CompactRouteSchema.parse(JSON.parse(text));
  return SiteRouteSchema.parse({
    projectId: p,
    deploymentId: d,
    ...(b && { before: b.map(([deploymentId, until]) => ({ deploymentId, until })) }),
    ...(n && { noindex: true }),
    ...(k && { protection: { kind: k[0] === 'l' ? 'link' : 'password', salt: k[1], hash: k[2] } }),
    ...(m && { maintenance: true }),
    ...(r && { rules: r === 'f' ? 'first' : 'after' }),
    ...(s && { service: { prefix: s[0], version: s[1], ...(s[2] !== undefined && { address: s[2] }) } }),
  });
}

const compactService = ({ prefix, version, address }: NonNullable<SiteRoute['service']>) =>
  address === undefined
    ? ([prefix, version] satisfies [string, string])
    : ([prefix, version, address] satisfies [string, string, string]);

import { z } from 'zod';
import { ProjectIdSchema } from './api.ts';

/** How far a domain is: `pending-dns` until its records are there, `pending-certificate` until browsers can connect. */
export const DOMAIN_STATUSES = ['pending-dns', 'pending-certificate', 'live', 'failed'] as const;
export const DomainStatusSchema = z.enum(DOMAIN_STATUSES);
export type DomainStatus = z.infer<typeof DomainStatusSchema>;

/** Domains of one project. Every release writes a route for each, and a write has at most 50 of them. */
export const MAX_DOMAINS = 40;

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Why a name cannot be a project's own domain; undefined where it can. `name` is in lower case. */
function faultOfName(name: string): string | undefined {
  if (name.includes('*')) return 'Names with a wildcard are not supported; add each name.';
  if (/[^\x21-\x7e]/.test(name)) return 'Write names with other letters in Punycode, e.g. xn--bcher-kva.example.';
  if (name.length > 253) return 'A name has at most 253 characters.';
  const labels = name.split('.');
  if (labels.length < 2) return 'A name has at least two parts, e.g. www.example.com.';
  if (!labels.every((label) => label.length <= 63 && LABEL.test(label)))
    return 'Each part of a name has 1 to 63 letters, digits and inner hyphens, and nothing stands around the name.';
  if (!/[a-z]/.test(labels.at(-1) as string)) return 'An address of numbers is no name.';
  return undefined;
}

export const DomainNameSchema = z
  .string()
  .toLowerCase()
  .superRefine((name, ctx) => {
    const message = faultOfName(name);
    if (message !== undefined) ctx.addIssue({ code: 'custom', message });
  });

/** What is to be entered at the host of the domain's DNS. */
export const DnsEntrySchema = z.object({
  type: z.enum(['CNAME', 'TXT']),
  name: z.string(),
  value: z.string(),
});
export type DnsEntry = z.infer<typeof DnsEntrySchema>;

/** A project's own domain, as the API shows it. */
export const DomainSchema = z.object({
  name: z.string(),
  projectId: ProjectIdSchema,
  status: DomainStatusSchema,
  dns: z.array(DnsEntrySchema),
  addedAt: z.iso.datetime(),
  checkedAt: z.iso.datetime(),
  /** What is in the way, in one sentence. */
  problem: z.string().optional(),
});
export type Domain = z.infer<typeof DomainSchema>;

export const DomainListSchema = z.object({ projectId: ProjectIdSchema, domains: z.array(DomainSchema) });

/**
 * A name as it is stored (`s3Keys.domain`), changed only by conditional writes: a name belongs to one project over all
 * owners. `holder` is null after the project has given it up.
 */
export const DomainDocumentSchema = z.object({
  v: z.literal(1),
  name: z.string(),
  holder: DomainSchema.omit({ name: true })
    .extend({
      owner: z.string(),
      /** Its DNS has named this project; before that, a project that its DNS names may take it over. */
      proved: z.boolean(),
    })
    .nullable(),
});
export type DomainDocument = z.infer<typeof DomainDocumentSchema>;

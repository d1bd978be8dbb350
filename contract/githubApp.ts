import { z } from 'zod';

/** The GitHub App of an owner: made by GitHub's manifest flow, private, and good for the owner's projects alone. */

export const StartAppSchema = z.strictObject({
  /** Its name, which must be free on the whole host. Default: one that is made up. */
  name: z
    .string()
    .min(1)
    .max(34)
    .regex(/^[A-Za-z0-9][A-Za-z0-9 _-]*$/, 'must be letters, digits, blanks, _ and -')
    .optional(),
  /** The organization that the App is to belong to. Default: the account of whoever opens the page. */
  organization: z
    .string()
    .max(39)
    .regex(/^[A-Za-z0-9](?:-?[A-Za-z0-9])*$/, 'must be the name of an organization')
    .optional(),
  /** A GitHub Enterprise Server of one's own, which the stage must allow. Default: https://github.com. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(200)
    .optional(),
});
export type StartApp = z.infer<typeof StartAppSchema>;

/** A form with `manifest` as its only field is to be sent to `action` by a browser; `page` is one that does so. */
export const AppStartSchema = z.object({
  action: z.url(),
  manifest: z.string(),
  state: z.string(),
  page: z.string(),
});

export const FinishAppSchema = z.strictObject({
  code: z.string().regex(/^[\w-]{1,200}$/, 'must be the code that GitHub has given'),
  state: z.string().min(1).max(2_000),
});

export const GithubAppSchema = z.object({
  appId: z.int(),
  slug: z.string(),
  name: z.string(),
  /** Where GitHub is opened. */
  webUrl: z.url(),
  /** Where the App is installed on repositories. */
  installUrl: z.url(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
});
export type GithubApp = z.infer<typeof GithubAppSchema>;

/** By which a project's repository is read with the App; the platform alone puts it into requests. */
export const AppAccessSchema = z.object({ repository: z.string().max(1_024) });
export type AppAccess = z.infer<typeof AppAccessSchema>;

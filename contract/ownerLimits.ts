import { z } from 'zod';

/** What one owner may use. An absent limit is none. */
export const OwnerLimitsSchema = z.strictObject({
  /** Builds at once; without it the stage's limit per owner. */
  builds: z.int().min(1).optional(),
  requestsPerMinute: z.int().min(1).optional(),
  deploymentsPerHour: z.int().min(1).optional(),
  storageGiB: z.int().min(1).optional(),
});
export type OwnerLimits = z.infer<typeof OwnerLimitsSchema>;

/** Limits of every owner, and what is different for some. */
export const LimitsOfOwnersSchema = z.strictObject({
  all: OwnerLimitsSchema,
  owners: z.record(z.string(), OwnerLimitsSchema),
});
export type LimitsOfOwners = z.infer<typeof LimitsOfOwnersSchema>;

/** The limits of this owner. */
export const limitsOf = ({ all, owners }: LimitsOfOwners, owner: string): OwnerLimits => ({
  ...all,
  ...(Object.hasOwn(owners, owner) && owners[owner]),
});

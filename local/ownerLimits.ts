import { VerenError } from '../contract/errors.ts';
import { type OwnerLimits, OwnerLimitsSchema } from '../contract/ownerLimits.ts';
import type { HostEnv } from './platform/images.ts';

/** `VEREN_LIMITS`: what the laptop's owner may use, as JSON; nothing is limited without it. Throws LIMITS_INVALID. */
export function ownerLimitsOf({ VEREN_LIMITS: text }: HostEnv): OwnerLimits | undefined {
  if (!text) return undefined;
  try {
    return OwnerLimitsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new VerenError('LIMITS_INVALID', { value: text.slice(0, 200) }, { cause });
  }
}

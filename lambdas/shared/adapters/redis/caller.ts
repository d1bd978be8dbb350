import { type Caller, CallerSchema } from '../../../../contract/people.ts';

/**
 * A caller as it is kept in Redis: JSON. Earlier versions kept the owner's name alone, whose only token could do
 * everything.
 */
export function parseCaller(text: string): Caller | null {
  if (!text.startsWith('{')) return text ? { owner: text, name: text, scope: 'admin' } : null;
  try {
    return CallerSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

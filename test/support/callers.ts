import type { Caller } from '../../contract/people.ts';

/** A caller who may do everything of an owner, as the stage's own token makes one. */
export const callerNamed = (owner: string, over: Partial<Caller> = {}): Caller => ({
  ...{ owner, name: owner, scope: 'admin' },
  ...over,
});

import fc from 'fast-check';
import {
  includesScope,
  lesserScope,
  MemberNameSchema,
  mayUseProject,
  ROLES,
  SCOPES,
  scopeOfRole,
} from '../../contract/people.ts';
import { callerNamed } from '../support/callers.ts';

const scope = fc.constantFrom(...SCOPES);

describe('scopes', () => {
  test('are in one order, and what two allow together is never more than either', () => {
    fc.assert(
      fc.property(scope, scope, scope, (a, b, c) => {
        const both = lesserScope(a, b);
        expect([a, b]).toContain(both);
        expect(includesScope(a, both) && includesScope(b, both)).toBe(true);
        expect(includesScope(both, c)).toBe(includesScope(a, c) && includesScope(b, c));
        expect(lesserScope(b, a)).toBe(both);
        expect(lesserScope(both, c)).toBe(lesserScope(a, lesserScope(b, c)));
        expect(includesScope(a, b) || includesScope(b, a)).toBe(true);
      }),
    );
  });

  test('of roles grow with the role', () => {
    expect(ROLES.map(scopeOfRole)).toEqual([...SCOPES]);
  });
});

test('a caller is good for the projects of its token, and without them for all', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (projects, id) => {
      expect(mayUseProject(callerNamed('ann', { projects }), id)).toBe(projects.includes(id));
      expect(mayUseProject(callerNamed('ann'), id)).toBe(true);
    }),
  );
});

test('names of members hold no control characters, no slash and no blank at the ends', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (name) => {
      if (!MemberNameSchema.safeParse(name).success) return;
      expect(name).toMatch(/^[\w.@+ -]{1,64}$/);
      expect(encodeURIComponent(name.trim())).not.toMatch(/^\.{0,2}$/);
    }),
  );
});

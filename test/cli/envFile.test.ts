import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { envLine, formatEnvFile } from '../../cli/variables/envFile.ts';

test('every line is read back as the value that it was made of, and as nothing else', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'\'"`\\n#=$ \nA1') }));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), (values) => {
      const variables = values.map((value, at) => ({
        ...{ name: `V${at}`, value, environments: ['preview' as const], secret: false, seenBy: [] },
        ...{ updatedAt: '2026-01-01T00:00:00Z', by: 'me' },
      }));
      const { text, written } = formatEnvFile(variables, { projectId: 'p', environment: 'preview' });
      const expected = Object.fromEntries(written.map((name) => [name, values[Number(name.slice(1))]]));
      expect({ ...parseEnv(text) }).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test('ordinary values are written, those that no dialect can say are not', () => {
  expect(envLine('A', 'one two')).toBe("A='one two'");
  expect(envLine('A', "it's")).toBe("A=`it's`");
  expect(envLine('A', '')).toBe("A=''");
  expect(envLine('A', 'two\nlines')).toBe("A='two\nlines'");
  expect(envLine('A', '\'`"')).toBeUndefined();
  expect(envLine('A B', 'x')).toBeUndefined();
});

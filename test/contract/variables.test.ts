import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildEnvSchema } from '../../contract/api.ts';
import { BUILD_VARIABLES, RESERVED_NAMES } from '../../contract/variables.ts';

const text = readFileSync(join(__dirname, '../../docs/variables.md'), 'utf8');
/** Rows of the table below a heading. */
const table = (heading: string) =>
  Object.fromEntries(
    [
      ...text
        .split(`## ${heading}\n`)[1]!
        .split('\n## ')[0]!
        .matchAll(/^\| `([^`]+)` \| (.+) \|$/gm),
    ].map(([, name, value]) => [name, value]),
  );

test('every reserved name is in the document with its reason, and no other', () => {
  expect(table('Reserved names')).toEqual(Object.fromEntries(RESERVED_NAMES.map((row) => [row.name, row.reason])));
});

test('every variable of a build is in the document', () => {
  expect(table('Variables that the platform sets')).toEqual(BUILD_VARIABLES);
});

test.each(RESERVED_NAMES)('$name is refused in a request', ({ name }) => {
  const env = JSON.parse(`{"${name.replace('*', 'X')}":"v"}`);
  // A JSON object cannot have all of them as a key of its own once a schema has read it.
  const read = BuildEnvSchema.safeParse(env);
  expect(read.success && Object.keys(read.data).length > 0).toBe(false);
});

test.each(['NODE_OPTIONS', 'NODE_ENV', 'AWSX', 'PATHS', 'XPATH', 'ENVIRONMENT', 'VERENA'])('%s may be set', (name) => {
  expect(BuildEnvSchema.safeParse({ [name]: 'v' }).success).toBe(true);
});

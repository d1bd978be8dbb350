import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const text = readFileSync(join(ROOT, 'docs/extending.md'), 'utf8');

test('docs/extending.md names files that are there', () => {
  const files = [...text.matchAll(/`((?:contract|lambdas|builder-images|lib|local|test|docs)\/[\w./-]+)`/g)].map(
    ([, file = '']) => file,
  );
  expect(files.length).toBeGreaterThan(30);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

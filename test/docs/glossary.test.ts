import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const text = readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8');

test("the glossary's names are those of the ports, and its files are there", () => {
  const ports = readFileSync(join(ROOT, 'lambdas/shared/ports.ts'), 'utf8');
  const names = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !new RegExp(`^  ${name}\\(`, 'm').test(ports))).toEqual([]);

  const files = [...text.matchAll(/`([\w/-]+\.ts)`/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(3);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const walk =
  readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
    .split('\n## ')
    .find((part) => part.startsWith('A walk of one deployment')) ?? '';

/** `path/to/file.ts:functionName` in the walk, in its order. */
const steps = [...walk.matchAll(/`((?:lambdas|builder-images)\/[\w./-]+\.ts):(\w+)`/g)].map(
  ([, file = '', name = '']) => [file, name] as const,
);
const exported = (source: string, name: string) =>
  new RegExp(`^export (?:async )?(?:function\\*?|const|class) ${name}\\b`, 'm').test(source);

test('the walk of one deployment is long enough to be one', () => {
  expect(steps.length).toBeGreaterThan(25);
});

test.each(steps)('%s has %s', (file, name) => {
  expect(exported(readFileSync(join(ROOT, file), 'utf8'), name)).toBe(true);
});

test('files that it names alone are there', () => {
  const files = [...walk.matchAll(/`((?:lambdas|builder-images|contract)\/[\w./-]+\.\w+)`/g)].map(
    ([, file = '']) => file,
  );
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test('no room is entered twice', () => {
  const parts = walk.split(/\n\d+\. /).slice(1);
  const rooms = parts.map((part) => [
    ...new Set([...part.matchAll(/`(lambdas\/(?!shared|domain)[\w-]+)\//g)].map(([, room = '']) => room)),
  ]);
  const all = rooms.flat();
  expect(all).toEqual([...new Set(all)]);
});

test('a function that is elsewhere is missed', () => {
  expect(exported('export const createApi = 1;\nexport async function project(', 'project')).toBe(true);
  expect(exported('const project = 1; // export function project', 'project')).toBe(false);
});

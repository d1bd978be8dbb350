import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '../../docs/decisions');

test('every decision has a date and a status, and the index lists it with both', () => {
  const files = readdirSync(FOLDER).filter((name) => name !== 'README.md');
  const decisions = files.map((name) => {
    const [title = '', , status = ''] = readFileSync(join(FOLDER, name), 'utf8').split('\n');
    const made = /^Decided (\d{4}-\d{2}-\d{2}), (?:in force|replaced by \[.+\]\(.+\.md\))\.$/.exec(status)?.[1];
    return { name, title: title.replace(/^# /, ''), made };
  });
  expect(decisions.filter(({ made }) => made === undefined)).toEqual([]);

  const index = readFileSync(join(FOLDER, 'README.md'), 'utf8');
  const rows = [...index.matchAll(/^\| (\S+) \| \S+ \| \[(.*)\]\((\S+)\) \|$/gm)];
  const listed = rows.map(([, made, title, name]) => ({ name, title, made }));
  const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
    (a.name ?? '') < (b.name ?? '') ? -1 : 1;
  expect(listed.sort(byName)).toEqual(decisions.sort(byName));
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProse, listDocuments, MAX_LINE, wrapDocument } from '../support/wrapDocuments.ts';

const ROOT = join(__dirname, '../..');

test('lines of documents have at most 120 characters; `npm run format` breaks longer ones', () => {
  const documents = listDocuments(ROOT);
  expect(documents.length).toBeGreaterThan(50);
  const long = documents.flatMap((path) => {
    const lines = readFileSync(join(ROOT, path), 'utf8').split('\n');
    const isProse = findProse(lines);
    return lines.flatMap((line, at) =>
      isProse[at] && line.length > MAX_LINE && !/https?:\/\/\S{60}/.test(line) ? [`${path}:${at + 1}`] : [],
    );
  });
  expect(long).toEqual([]);
});

const words = (count: number, word = 'word') => Array.from({ length: count }, () => word).join(' ');

test('a document is wrapped without a change of what it says', () => {
  const kept = [`# ${words(40)}`, `| ${words(40)} |`, '```sh', words(40), '```', 'short', 'lines'].join('\n');
  expect(wrapDocument(kept)).toBe(kept);
  const wrapped = wrapDocument(
    `- ${words(30)}\n  1. ${words(30)}\n> ${words(30)}\n\n${words(24)} - ${words(9)} \`${words(9)}\``,
  );
  expect(wrapped.split('\n')).toEqual([
    `- ${words(23)}`,
    `  ${words(7)}`,
    `  1. ${words(23)}`,
    `     ${words(7)}`,
    `> ${words(23)}`,
    `> ${words(7)}`,
    '',
    `${words(23)}`,
    `word - ${words(9)} \`${words(9)}\``,
  ]);
  expect(wrapDocument(wrapped)).toBe(wrapped);
});

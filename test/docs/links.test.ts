import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listDocuments } from '../support/wrapDocuments.ts';

const ROOT = join(__dirname, '../..');

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const readAnchors = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

test('links of documents lead to files and headings that are there', () => {
  const links = listDocuments(ROOT).flatMap((document) =>
    [
      ...readFileSync(join(ROOT, document), 'utf8')
        .replace(/`[^`\n]*`/g, '')
        .matchAll(/\]\((?!https?:)([^)\s]+)\)/g),
    ].map(([, link = '']) => ({
      document,
      link,
    })),
  );
  expect(links.length).toBeGreaterThan(60);
  const broken = links.filter(({ document, link }) => {
    const [file = '', anchor] = link.split('#');
    const path = file === '' ? join(ROOT, document) : join(ROOT, dirname(document), file);
    return !existsSync(path) || (anchor !== undefined && !readAnchors(path).includes(anchor));
  });
  expect(broken).toEqual([]);
});

test('documents name decisions that are there', () => {
  const named = listDocuments(ROOT).flatMap((document) =>
    [...readFileSync(join(ROOT, document), 'utf8').matchAll(/`(?:docs\/)?decisions\/([\w-]+\.md)`/g)].map(
      ([, name = '']) => name,
    ),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !existsSync(join(ROOT, 'docs/decisions', name)))).toEqual([]);
});

test('documents name files that are there', () => {
  const folders = 'lambdas|contract|lib|local|builder-images|test|bin|operator|bench|docs|examples|\\.ci';
  // An example's new file is there only for who follows it (extending.test.ts).
  const path = new RegExp(`(?<!^A new file, )\`((?:${folders})/[\\w./-]+?\\.(?:ts|mjs|sh|md|json|dev))[\`:]`, 'gm');
  const named = listDocuments(ROOT).flatMap((document) =>
    [...readFileSync(join(ROOT, document), 'utf8').matchAll(path)].map(([, file = '']) => ({ document, file })),
  );
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter(({ file }) => !existsSync(join(ROOT, file)))).toEqual([]);
});

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** The longest line of a document. Tables, code, headings and words that are longer by themselves are left as they are. */
export const MAX_LINE = 120;

const ITEM = /^(\s*(?:[-*+]|\d+[.)])\s+)(.*)$/;
/** At the beginning of a line these would make a list, a heading, a quotation or a table of a sentence. */
const OPENS_BLOCK = /^(>.*|[-+*|]|[-=]+|#{1,6}|\d+[.)])$/;

/** The documents that git knows, or would take. */
export const listDocuments = (root: string): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => path !== '' && !path.startsWith('test/fixtures/') && !path.startsWith('examples/'));

/** True for the lines of a document that may be broken, by index: not in code, no table, no heading. */
export function findProse(lines: readonly string[]): boolean[] {
  let fenced = false;
  return lines.map((line) => {
    const isFence = /^\s*(```|~~~)/.test(line);
    if (isFence) fenced = !fenced;
    return !isFence && !fenced && !/^\s*(\||#|<!--|$)/.test(line);
  });
}

/** Words of a text; inline code and the address of a link are part of one word. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  for (const word of text.match(/(?:`[^`]*`|\]\([^)]*\)|[^\s`])+|`/g) ?? [])
    if (OPENS_BLOCK.test(word) && words.length > 0) words.push(`${words.pop()} ${word}`);
    else words.push(word);
  return words;
}

function fill(words: readonly string[], first: string, next: string): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of words) {
    if (!isEmpty && line.length + 1 + word.length > MAX_LINE) {
      lines.push(line);
      line = next;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

const findQuote = (line: string): string => /^> ?/.exec(line)?.[0] ?? '';

/** Breaks the paragraphs and list items that have a line over 120 characters; all others stay as they are. */
export function wrapDocument(text: string): string {
  const lines = text.split('\n');
  const isProse = findProse(lines);
  const result: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const opening = lines[at] ?? '';
    let end = at + 1;
    if (!isProse[at]) {
      result.push(opening);
      at = end;
      continue;
    }
    const quote = findQuote(opening);
    while (isProse[end] && !ITEM.test(lines[end] ?? '') && findQuote(lines[end] ?? '') === quote) end += 1;
    const block = lines.slice(at, end);
    const item = ITEM.exec(opening)?.[1];
    const indent = item ?? /^\s*/.exec(opening)?.[0] ?? '';
    const words = splitWords(
      block
        .map((line) => line.slice(quote.length).trim())
        .join(' ')
        .slice(item?.trimStart().length ?? 0),
    );
    const isLong = block.some((line) => line.length > MAX_LINE);
    const next = quote || (item === undefined ? indent : ' '.repeat(indent.length));
    result.push(...(isLong ? fill(words, quote || indent, next) : block));
    at = end;
  }
  return result.join('\n');
}

// npm run format
if (process.argv[1]?.endsWith('wrapDocuments.ts'))
  for (const path of process.argv.length > 2 ? process.argv.slice(2) : listDocuments('.')) {
    const text = readFileSync(path, 'utf8');
    const wrapped = wrapDocument(text);
    if (wrapped !== text) writeFileSync(path, wrapped);
  }

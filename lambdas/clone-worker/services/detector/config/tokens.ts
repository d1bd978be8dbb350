/** Tokens of a JavaScript or TypeScript program, in time linear in the text. */

export type TokenKind = 'name' | 'string' | 'template' | 'number' | 'regex' | 'punctuator';
export interface Token {
  readonly kind: TokenKind;
  /** Of a string its value, of a template its raw text with the quotes. */
  readonly text: string;
  /** Stands first in its line. */
  readonly first: boolean;
}
export interface Tokens {
  readonly list: readonly Token[];
  /** Index of the closing bracket of an opening one; -1 where it is never closed. */
  readonly closing: readonly number[];
}

const PUNCTUATORS = ['...', '===', '!==', '=>', '?.', '??', '||', '&&', '==', '!='];
const CLOSES: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const NAME_START = /[\p{L}\p{Nl}$_#@]/u;
const NAME_PART = /[\p{L}\p{Nl}\p{Nd}$_\u200c\u200d]/u;
/** After one of these words a slash begins a regular expression. */
const BEFORE_REGEX = new Set(['return', 'case', 'typeof', 'in', 'of', 'await', 'new', 'default']);

/** Undefined where the text is no program at all: an odd closing bracket, a string without an end. */
export function tokenizeSource(source: string): Tokens {
  const list: Token[] = [];
  const closing: number[] = [];
  const open: number[] = [];
  let first = true;
  const pushToken = (kind: TokenKind, text: string) => {
    list.push({ kind, text, first });
    closing.push(-1);
    first = false;
  };
  for (let i = 0; i < source.length; ) {
    const c = source[i]!;
    if (c === '\n' || c === '\r') {
      first = true;
      i += 1;
    } else if (/\s/.test(c) || c === '\ufeff') i += 1;
    else if (source.startsWith('//', i) || (i === 0 && source.startsWith('#!'))) i = endOfLine(source, i);
    else if (source.startsWith('/*', i)) i = indexAfter(source, '*/', i + 2);
    else if (c === '"' || c === "'") {
      const end = endOfString(source, i);
      pushToken('string', unescapeText(source.slice(i + 1, end)));
      i = end + 1;
    } else if (c === '`') {
      const end = endOfTemplate(source, i);
      pushToken('template', source.slice(i, end));
      i = end;
    } else if (/[0-9]/.test(c)) {
      const end = endOfWord(source, i, /[\w.]/);
      pushToken('number', source.slice(i, end));
      i = end;
    } else if (NAME_START.test(c)) {
      const end = endOfWord(source, i + 1, NAME_PART);
      pushToken('name', source.slice(i, end));
      i = end;
    } else if (c === '/' && regexMayBegin(list.at(-1))) {
      const end = endOfRegex(source, i);
      pushToken('regex', source.slice(i, end));
      i = end;
    } else {
      const text = PUNCTUATORS.find((p) => source.startsWith(p, i)) ?? c;
      if (CLOSES[text] !== undefined) open.push(list.length);
      else if (text === ')' || text === ']' || text === '}') {
        const opener = open.at(-1);
        if (opener !== undefined && CLOSES[list[opener]!.text] === text) {
          closing[opener] = list.length;
          open.pop();
        }
      }
      pushToken('punctuator', text);
      i += text.length;
    }
  }
  return { list, closing };
}

const endOfLine = (source: string, from: number) => indexAfter(source, '\n', from) - 1 || source.length;

function indexAfter(source: string, what: string, from: number): number {
  const at = source.indexOf(what, from);
  return at < 0 ? source.length : at + what.length;
}

/** Index of the closing quote; a string ends with its line at the latest. */
function endOfString(source: string, start: number): number {
  for (let i = start + 1; i < source.length; i++) {
    if (source[i] === '\\') i += 1;
    else if (source[i] === source[start] || source[i] === '\n') return i;
  }
  return source.length;
}

const unescapeText = (text: string) =>
  text.replace(/\\(?:\r\n|[\s\S])/g, (pair) => (pair[1] === '\n' ? '' : pair.slice(1)));

/** Index after the closing back quote; what is inside of `${}` may hold strings and templates of its own. */
function endOfTemplate(source: string, start: number): number {
  // One entry for each template that is open: how many braces of its expression are open; -1 while in its text.
  const stack: number[] = [-1];
  for (let i = start + 1; i < source.length; i++) {
    const c = source[i]!;
    const top = stack.at(-1)!;
    if (c === '\\') i += 1;
    else if (top < 0) {
      if (c === '`') {
        stack.pop();
        if (stack.length === 0) return i + 1;
      } else if (c === '$' && source[i + 1] === '{') {
        stack[stack.length - 1] = 0;
        i += 1;
      }
    } else if (c === '`') stack.push(-1);
    else if (c === '"' || c === "'") i = endOfString(source, i);
    else if (c === '{') stack[stack.length - 1] = top + 1;
    else if (c === '}') stack[stack.length - 1] = top - 1;
  }
  return source.length;
}

function endOfWord(source: string, from: number, part: RegExp): number {
  let end = from;
  while (end < source.length && part.test(source[end]!)) end += 1;
  return end;
}

function endOfRegex(source: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < source.length; i++) {
    const c = source[i];
    if (c === '\n') return start + 1; // a division after all
    if (c === '\\') i += 1;
    else if (c === '[') inClass = true;
    else if (c === ']') inClass = false;
    else if (c === '/' && !inClass) return endOfWord(source, i + 1, /[a-z]/);
  }
  return start + 1;
}

function regexMayBegin(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === 'punctuator') return !/^[)\]}]$/.test(before.text);
  return before.kind === 'name' && BEFORE_REGEX.has(before.text);
}

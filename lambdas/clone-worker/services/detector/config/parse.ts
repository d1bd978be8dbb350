import { type ConfigStatement, type Expression, type Item, type Property, UNKNOWN_EXPRESSION } from './syntax.ts';
import { type Token, type Tokens, tokenizeSource } from './tokens.ts';

/** Deeper nesting is no configuration, and recursion must end before the stack does. */
const MAX_DEPTH = 100;
/** Tokens of one type; a longer one is no type, and what is looked at twice must be short. */
const MAX_TYPE = 200;
const STATEMENT_WORDS = new Set(
  'import export const let var function async class return if else for while do switch try throw type interface enum declare namespace module exports'.split(
    ' ',
  ),
);
const PRECEDENCE: Readonly<Record<string, number>> = {
  '??': 1,
  '||': 1,
  '&&': 2,
  '===': 3,
  '!==': 3,
  '==': 3,
  '!=': 3,
  '+': 4,
};
/** Operators whose result is never asked for. */
const OTHER_OPERATORS = /^(?:[-*/%<>&|^]|in|instanceof)$/;

/**
 * Reads a program as far as a configuration needs it: linear in the text, since nothing is tried twice, and it never
 * throws. Types are skipped. A general parser of TypeScript tries arrow functions several ways and takes exponential time
 * for nested ones, which a repository could use to stop the analysis.
 */
export function parseProgram(source: string): readonly ConfigStatement[] {
  const parser = new Parser(tokenizeSource(source));
  return parser.statements(parser.end, 0);
}

class Parser {
  readonly #list: readonly Token[];
  readonly #closing: readonly number[];
  #at = 0;

  constructor({ list, closing }: Tokens) {
    this.#list = list;
    this.#closing = closing;
  }

  get end(): number {
    return this.#list.length;
  }

  #is(text: string, at = this.#at): boolean {
    const token = this.#list[at];
    return token !== undefined && token.text === text && token.kind !== 'string' && token.kind !== 'template';
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at += 1;
    return true;
  }

  #name(at = this.#at): string | undefined {
    const token = this.#list[at];
    return token?.kind === 'name' ? token.text : undefined;
  }

  /** Index of what closes the bracket here, never beyond `end`. */
  #close(at: number, end: number): number {
    const close = this.#closing[at]!;
    return close < 0 || close > end ? end : close;
  }

  /** Over one token, or over a bracket with all that is in it. */
  #skip(end: number): void {
    this.#at = this.#closing[this.#at]! >= 0 ? this.#close(this.#at, end) + 1 : this.#at + 1;
  }

  statements(end: number, depth: number): ConfigStatement[] {
    const found: ConfigStatement[] = [];
    while (this.#at < end) {
      if (this.#take(';')) continue;
      const before = this.#at;
      if (depth < MAX_DEPTH) this.#statement(end, depth, found);
      if (this.#at === before) this.#skipStatement(end);
    }
    return found;
  }

  /** To the next semicolon, or to a line that begins a statement. */
  #skipStatement(end: number): void {
    this.#skip(end);
    while (this.#at < end && !this.#is(';')) {
      const token = this.#list[this.#at]!;
      if (token.first && token.kind === 'name' && STATEMENT_WORDS.has(token.text)) return;
      this.#skip(end);
    }
    this.#take(';');
  }

  #statement(end: number, depth: number, found: ConfigStatement[]): void {
    const start = this.#at;
    if (this.#take('import')) {
      this.#import(end, found);
      return;
    }
    const exported = this.#take('export');
    if (exported && (this.#take('default') || this.#take('='))) {
      found.push({ type: 'export', name: undefined, value: this.#expression(end, depth + 1) });
      return;
    }
    const word = this.#name();
    if (word === 'const' || word === 'let' || word === 'var') {
      this.#declarations(end, depth, exported, found);
      return;
    }
    const fn = word === 'function' || (word === 'async' && this.#is('function', this.#at + 1));
    const name = fn ? this.#name(this.#at + (word === 'async' ? 2 : 1)) : undefined;
    if (name !== undefined) {
      found.push({ type: 'declare', name, value: this.#expression(end, depth + 1), exported });
      return;
    }
    if (exported) this.#at = start;
    else if (this.#take('return')) found.push({ type: 'return', value: this.#expression(end, depth + 1) });
    else if (word === 'if') this.#if(end, depth, found);
    else if (this.#is('{')) found.push(...this.#block(end, depth));
    else this.#assignment(end, depth, found);
  }

  #import(end: number, found: ConfigStatement[]): void {
    const names: string[] = [];
    for (; this.#at < end && !this.#is(';'); this.#at += 1) {
      const token = this.#list[this.#at]!;
      if (token.kind === 'string') {
        found.push({ type: 'import', names, module: token.text });
        this.#at += 1;
        return;
      }
      // Of `a as b` the name here is b.
      if (token.kind === 'name' && !this.#is('as', this.#at + 1) && token.text !== 'as') names.push(token.text);
    }
  }

  #declarations(end: number, depth: number, exported: boolean, found: ConfigStatement[]): void {
    this.#at += 1;
    do {
      const pattern = this.#is('{') || this.#is('[');
      const names = pattern ? this.#patternNames(end) : [this.#name()];
      if (pattern) this.#skip(end);
      else this.#at += 1;
      if (this.#take(':')) this.#skipType(end);
      if (!this.#take('=')) continue;
      const value = this.#expression(end, depth + 1);
      const module = requiredModule(value);
      const known = names.filter((name) => name !== undefined);
      if (module !== undefined) found.push({ type: 'import', names: known, module });
      else if (!pattern && known[0] !== undefined) found.push({ type: 'declare', name: known[0], value, exported });
    } while (this.#take(',') && this.#at < end);
    this.#take(';');
  }

  #patternNames(end: number): string[] {
    const close = this.#close(this.#at, end);
    const names: string[] = [];
    for (let i = this.#at + 1; i < close; i++) {
      const name = this.#name(i);
      if (name !== undefined && !this.#is(':', i + 1)) names.push(name);
    }
    return names;
  }

  #if(end: number, depth: number, found: ConfigStatement[]): void {
    this.#at += 1;
    if (!this.#is('(')) return;
    const close = this.#close(this.#at, end);
    this.#at += 1;
    const test = this.#expression(close, depth + 1);
    this.#at = close + 1;
    const yes = this.#branch(end, depth);
    const no = this.#take('else') ? this.#branch(end, depth) : [];
    found.push({ type: 'if', test, yes, no });
  }

  #branch(end: number, depth: number): ConfigStatement[] {
    if (this.#is('{')) return this.#block(end, depth);
    const found: ConfigStatement[] = [];
    const before = this.#at;
    if (depth < MAX_DEPTH && this.#at < end) this.#statement(end, depth + 1, found);
    if (this.#at === before && this.#at < end) this.#skipStatement(end);
    this.#take(';');
    return found;
  }

  #block(end: number, depth: number): ConfigStatement[] {
    const close = this.#close(this.#at, end);
    this.#at += 1;
    const found = depth < MAX_DEPTH ? this.statements(close, depth + 1) : [];
    this.#at = close + 1;
    return found;
  }

  /** `module.exports = …`, `exports.a = …`, `module.exports.a = …`; anything else is skipped by the caller. */
  #assignment(end: number, depth: number, found: ConfigStatement[]): void {
    let at = this.#at;
    if (this.#is('module', at) && this.#is('.', at + 1)) at += 2;
    if (!this.#is('exports', at)) return;
    let name: string | undefined;
    if (this.#is('.', at + 1)) {
      name = this.#name(at + 2);
      at += 2;
    }
    if (!this.#is('=', at + 1)) return;
    this.#at = at + 2;
    found.push({
      type: 'export',
      name: name === 'default' ? undefined : name,
      value: this.#expression(end, depth + 1),
    });
  }

  /** One expression; the position is after it, at a comma, a closing bracket, a semicolon or what could not be read. */
  #expression(end: number, depth: number): Expression {
    if (depth > MAX_DEPTH || this.#at >= end) {
      while (this.#at < end && !this.#is(',') && !this.#is(';')) this.#skip(end);
      return UNKNOWN_EXPRESSION;
    }
    const test = this.#binary(end, depth, 1);
    if (!this.#take('?')) return test;
    const yes = this.#expression(end, depth + 1);
    const no = this.#take(':') ? this.#expression(end, depth + 1) : UNKNOWN_EXPRESSION;
    return { type: 'conditional', test, yes, no };
  }

  #binary(end: number, depth: number, least: number): Expression {
    let left = this.#unary(end, depth);
    while (this.#at < end) {
      const token = this.#list[this.#at]!;
      if (token.kind === 'string' || token.kind === 'template') break;
      if ((token.text === 'as' || token.text === 'satisfies') && token.kind === 'name') {
        this.#at += 1;
        this.#skipType(end);
        continue;
      }
      const precedence = token.kind === 'punctuator' ? PRECEDENCE[token.text] : undefined;
      if (precedence === undefined && !OTHER_OPERATORS.test(token.text)) break;
      if (precedence !== undefined && precedence < least) break;
      this.#at += 1;
      const right = this.#binary(end, depth + 1, (precedence ?? 5) + 1);
      left = precedence === undefined ? UNKNOWN_EXPRESSION : { type: 'binary', operator: token.text, left, right };
    }
    return left;
  }

  #unary(end: number, depth: number): Expression {
    if (depth > MAX_DEPTH || this.#at >= end) return UNKNOWN_EXPRESSION;
    if (this.#take('!')) return { type: 'not', value: this.#unary(end, depth + 1) };
    for (const word of ['await', 'new', 'typeof', 'void', 'delete', '-', '+']) {
      if (!this.#take(word)) continue;
      const value = this.#unary(end, depth + 1);
      return word === 'await' || word === 'new' ? value : UNKNOWN_EXPRESSION;
    }
    return this.#postfix(end, depth, this.#primary(end, depth));
  }

  #postfix(end: number, depth: number, first: Expression): Expression {
    let value = first;
    while (this.#at < end) {
      const token = this.#list[this.#at]!;
      if (this.#is('.') || this.#is('?.')) {
        this.#at += 1;
        const name = this.#name();
        if (name === undefined) continue;
        this.#at += 1;
        value = { type: 'member', object: value, name };
      } else if (this.#is('(')) {
        const close = this.#close(this.#at, end);
        this.#at += 1;
        const args = this.#items(close, depth + 1);
        this.#at = close + 1;
        value = { type: 'call', callee: value, args };
      } else if (this.#is('[') && !token.first) {
        const key = this.#list[this.#at + 1];
        const plain = key?.kind === 'string' && this.#closing[this.#at] === this.#at + 2;
        this.#skip(end);
        value = plain ? { type: 'member', object: value, name: key.text } : UNKNOWN_EXPRESSION;
      } else if (this.#is('!') && !token.first) this.#at += 1;
      else if (this.#is('<') && this.#takeTypeArguments(end)) continue;
      else if (token.kind === 'template') {
        this.#at += 1;
        value = UNKNOWN_EXPRESSION;
      } else break;
    }
    return value;
  }

  /** `<Config>` before the arguments of a call; false, and nothing taken, for a comparison. */
  #takeTypeArguments(end: number): boolean {
    let open = 0;
    for (let i = this.#at; i < Math.min(end, this.#at + 60); i++) {
      const token = this.#list[i]!;
      if (token.text === '<') open += 1;
      else if (token.text === '>') open -= 1;
      else if (token.kind === 'punctuator' && !/^[.,|&[\]{}:;?]$/.test(token.text)) return false;
      if (open > 0) continue;
      if (!this.#is('(', i + 1)) return false;
      this.#at = i + 1;
      return true;
    }
    return false;
  }

  #primary(end: number, depth: number): Expression {
    const token = this.#list[this.#at]!;
    const arrow = this.#arrow(end, depth);
    if (arrow) return arrow;
    if (token.kind === 'string') {
      this.#at += 1;
      return { type: 'literal', value: token.text };
    }
    if (token.kind === 'number') {
      this.#at += 1;
      return { type: 'literal', value: Number(token.text) };
    }
    if (token.kind === 'template') {
      this.#at += 1;
      return parseTemplate(token.text, depth);
    }
    if (this.#is('(')) {
      const close = this.#close(this.#at, end);
      this.#at += 1;
      const value = this.#expression(close, depth + 1);
      this.#at = close + 1;
      return value;
    }
    if (this.#is('[')) {
      const close = this.#close(this.#at, end);
      this.#at += 1;
      const items = this.#items(close, depth + 1);
      this.#at = close + 1;
      return { type: 'list', items };
    }
    if (this.#is('{')) return this.#object(end, depth);
    if (this.#is('<') && this.#name(this.#at + 1) !== undefined && this.#is('>', this.#at + 2)) {
      this.#at += 3;
      return this.#unary(end, depth + 1);
    }
    if (token.kind !== 'name') {
      // Closing brackets and separators are the caller's.
      if (!/^[)\]},;:]$/.test(token.text)) this.#at += 1;
      return UNKNOWN_EXPRESSION;
    }
    return this.#word(token.text, end, depth);
  }

  #word(word: string, end: number, depth: number): Expression {
    if (word === 'async' && this.#is('function', this.#at + 1)) this.#at += 1;
    if (this.#is('function')) return this.#function(end, depth);
    this.#at += 1;
    if (word === 'true' || word === 'false') return { type: 'literal', value: word === 'true' };
    if (word === 'null' || word === 'undefined') return { type: 'literal', value: null };
    if (word === 'class') {
      while (this.#at < end && !this.#is('{')) this.#skip(end);
      if (this.#at < end) this.#skip(end);
      return UNKNOWN_EXPRESSION;
    }
    if (word === 'import' && this.#is('.') && this.#is('meta', this.#at + 1)) {
      this.#at += 2;
      return { type: 'name', name: 'import.meta' };
    }
    return { type: 'name', name: word };
  }

  #function(end: number, depth: number): Expression {
    while (this.#at < end && !this.#is('(')) this.#at += 1;
    if (this.#at < end) this.#skip(end);
    if (this.#take(':')) this.#skipType(end);
    return this.#is('{') ? { type: 'function', body: this.#block(end, depth + 1) } : UNKNOWN_EXPRESSION;
  }

  /** `a => …`, `(…) => …`, `async (…): T => …`; undefined, and nothing taken, where none begins here. */
  #arrow(end: number, depth: number): Expression | undefined {
    let at = this.#at;
    if (this.#is('async', at) && !this.#is('=>', at + 1)) at += 1;
    if (this.#name(at) !== undefined && this.#is('=>', at + 1)) at += 1;
    else if (this.#is('(', at)) {
      at = this.#closing[at]! + 1;
      if (at === 0 || at >= end) return undefined;
      if (this.#is(':', at)) {
        // A return type is short; in a conditional expression no arrow follows the part after the colon.
        const before = this.#at;
        this.#at = at + 1;
        this.#skipType(end);
        [at, this.#at] = [this.#at, before];
      }
    } else return undefined;
    if (!this.#is('=>', at) || at >= end) return undefined;
    this.#at = at + 1;
    if (this.#is('{')) return { type: 'function', body: this.#block(end, depth + 1) };
    return { type: 'function', body: this.#expression(end, depth + 1) };
  }

  #items(end: number, depth: number): Item[] {
    const items: Item[] = [];
    while (this.#at < end) {
      const spread = this.#take('...');
      const value = this.#expression(end, depth + 1);
      items.push({ spread, value: this.#atSeparator(end) ? value : UNKNOWN_EXPRESSION });
      this.#toSeparator(end);
    }
    return items;
  }

  #atSeparator = (end: number): boolean => this.#at >= end || this.#is(',');

  #toSeparator(end: number): void {
    while (this.#at < end && !this.#is(',')) this.#skip(end);
    if (this.#at < end) this.#at += 1;
  }

  #object(end: number, depth: number): Expression {
    const close = this.#close(this.#at, end);
    this.#at += 1;
    const properties: Property[] = [];
    while (this.#at < close) {
      const property = depth < MAX_DEPTH ? this.#property(close, depth + 1) : undefined;
      if (property) {
        const whole = this.#atSeparator(close);
        properties.push(whole ? property : { ...property, value: UNKNOWN_EXPRESSION });
      }
      this.#toSeparator(close);
    }
    this.#at = close + 1;
    return { type: 'object', properties };
  }

  #property(end: number, depth: number): Property | undefined {
    if (this.#take('...')) return { kind: 'spread', value: this.#expression(end, depth) };
    if (this.#is('async') && !/^[,:(]$/.test(this.#list[this.#at + 1]?.text ?? '')) this.#at += 1;
    const token = this.#list[this.#at];
    if (token === undefined) return undefined;
    let key: string | Expression;
    if (this.#is('[')) {
      const close = this.#close(this.#at, end);
      this.#at += 1;
      key = this.#expression(close, depth);
      this.#at = close + 1;
    } else {
      if (token.kind === 'punctuator' || token.kind === 'regex') return undefined;
      key = token.text;
      this.#at += 1;
    }
    if (this.#take(':')) return { kind: 'value', key, value: this.#expression(end, depth) };
    if (this.#is('(')) return { kind: 'value', key, value: this.#function(end, depth) };
    return typeof key === 'string' ? { kind: 'value', key, value: { type: 'name', name: key } } : undefined;
  }

  /** A type, roughly: names, brackets and what joins them. */
  #skipType(end: number): void {
    let open = 0;
    let operand = false; // whether what was read last could be a whole type
    for (let i = 0; this.#at < end && i < MAX_TYPE; i++) {
      const token = this.#list[this.#at]!;
      const { text } = token;
      if (text === '<') open += 1;
      else if (text === '>' && open > 0) open -= 1;
      else if (open === 0) {
        if (token.kind === 'punctuator' && /^(?:[,;)\]}=?:+!]|=>|\|\||&&|\?\?|===|!==|\?\.)$/.test(text)) return;
        if (operand && token.first && !/^[|&]$/.test(text)) return;
        if (operand && text === '{') return; // the body of a function
      }
      operand = !(token.kind === 'punctuator' && /^[|&.<]$/.test(text));
      this.#skip(end);
    }
  }
}

/** `m` of `require('m')`, `require('m').a`, `require('m')(…)`. */
function requiredModule(value: Expression): string | undefined {
  for (let at = value, i = 0; i < 10; i++) {
    if (at.type === 'member') at = at.object;
    else if (at.type === 'call') {
      const argument = at.args[0]?.value;
      if (at.callee.type === 'name' && at.callee.name === 'require')
        return argument?.type === 'literal' && typeof argument.value === 'string' ? argument.value : undefined;
      at = at.callee;
    } else return undefined;
  }
  return undefined;
}

/** A template literal: its texts, and its expressions where each is short. */
function parseTemplate(raw: string, depth: number): Expression {
  const texts: string[] = [];
  const values: Expression[] = [];
  let text = '';
  const end = raw.endsWith('`') ? raw.length - 1 : raw.length;
  for (let i = 1; i < end; i++) {
    if (raw[i] === '\\') {
      text += raw[i + 1] ?? '';
      i += 1;
    } else if (raw[i] === '$' && raw[i + 1] === '{') {
      const close = raw.indexOf('}', i);
      const inner = raw.slice(i + 2, close < 0 ? end : close);
      if (inner.length > 200 || values.length > 20 || /[`{]/.test(inner) || depth > 20) return UNKNOWN_EXPRESSION;
      texts.push(text);
      text = '';
      values.push(expressionOf(inner));
      i = close < 0 ? end : close;
    } else text += raw[i];
  }
  return { type: 'template', texts: [...texts, text], values };
}

function expressionOf(source: string): Expression {
  const [statement] = parseProgram(`module.exports = ${source}`);
  return statement?.type === 'export' ? statement.value : UNKNOWN_EXPRESSION;
}

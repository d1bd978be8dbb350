import { posix } from 'node:path';
import type { ConfigStatement, Expression, Item } from './syntax.ts';
import { isListValue, isObjectValue, mergeObjects, type ObjectValue, UNKNOWN, type Value } from './values.ts';

/** Stands for the package's folder in absolute paths; deep, so that `../..` stays inside. */
export const PACKAGE_FOLDER = '/\u0001/\u0001/\u0001/\u0001/\u0001/package';
/** A hostile file may double a text with every line, or nest without end. */
const MAX_STEPS = 20_000;
const MAX_TEXT = 4_096;
const MAX_ITEMS = 2_000;
const MAX_DEPTH = 120;
const PATH_FUNCTIONS: ReadonlySet<string> = new Set(['resolve', 'join', 'normalize']);

/** Functions that give a path back as it is, but for its separators. */
const IDENTITIES: ReadonlySet<string> = new Set(['normalizePath', 'slash', 'String', 'toPosix']);

/** Evaluates expressions of a configuration in bounded time. What it does not understand is UNKNOWN. */
export class Evaluator {
  /** Declarations by name, the innermost function's last. */
  readonly #scopes: ReadonlyMap<string, Expression>[];
  /** Local name → module. */
  readonly #modules: ReadonlyMap<string, string>;
  readonly #known = new Map<Expression, Value>();
  #steps = 0;

  constructor(program: readonly ConfigStatement[]) {
    this.#scopes = [declarationsOf(program)];
    this.#modules = new Map(
      program.flatMap((s) => (s.type === 'import' ? s.names.map((name) => [name, s.module] as const) : [])),
    );
  }

  evaluate(node: Expression, depth = 0): Value {
    this.#steps += 1;
    if (depth > MAX_DEPTH || this.#steps > MAX_STEPS) return UNKNOWN;
    const evaluateNext = (inner: Expression) => this.evaluate(inner, depth + 1);
    switch (node.type) {
      case 'literal':
        return node.value;
      case 'template':
        return this.#template(node, evaluateNext);
      case 'object':
        return this.#object(node, evaluateNext);
      case 'list':
        return {
          kind: 'list',
          items: node.items.flatMap((item) => spreadItem(item, evaluateNext)).slice(0, MAX_ITEMS),
        };
      case 'name':
        return this.#name(node.name, depth);
      case 'member':
        return this.#member(node, evaluateNext);
      case 'call':
        return this.#call(node, evaluateNext);
      case 'binary':
        return evaluateBinary(node, evaluateNext);
      case 'conditional':
        return evaluateConditional(node, evaluateNext);
      case 'not': {
        const value = evaluateNext(node.value);
        return typeof value === 'boolean' ? !value : UNKNOWN;
      }
      case 'function':
        return { kind: 'function', returns: this.#returned(node.body, depth) };
      case 'unknown':
        return UNKNOWN;
    }
  }

  #name(name: string, depth: number): Value {
    if (name === '__dirname') return PACKAGE_FOLDER;
    if (name === '__filename') return `${PACKAGE_FOLDER}/config`;
    const node = this.#scopes.findLast((scope) => scope.has(name))?.get(name);
    if (node === undefined) return UNKNOWN;
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    this.#known.set(node, UNKNOWN); // a name that is defined by itself
    const value = this.evaluate(node, depth + 1);
    this.#known.set(node, value);
    return value;
  }

  #template({ texts, values }: Node<'template'>, next: Next): Value {
    let out = texts[0] ?? '';
    for (const [i, expression] of values.entries()) {
      const value = next(expression);
      if (typeof value !== 'string' && typeof value !== 'number') return UNKNOWN;
      out += value + (texts[i + 1] ?? '');
      if (out.length > MAX_TEXT) return UNKNOWN;
    }
    return out;
  }

  #object({ properties }: Node<'object'>, next: Next): Value {
    const entries = new Map<string, Value>();
    let open = false;
    for (const property of properties) {
      const value = next(property.value);
      if (property.kind === 'spread') {
        // A spread replaces whole values, so nothing is merged below the first level.
        if (isObjectValue(value)) for (const [key, inner] of value.entries) entries.set(key, inner);
        open ||= !isObjectValue(value) || value.open;
        if (entries.size > MAX_ITEMS) return UNKNOWN;
        continue;
      }
      const key = typeof property.key === 'string' ? property.key : next(property.key);
      if (typeof key === 'string') entries.set(key, value);
      else open = true;
    }
    return { kind: 'object', entries, open };
  }

  #member({ object, name }: Node<'member'>, next: Next): Value {
    if (object.type === 'name' && object.name === 'import.meta')
      return name === 'dirname'
        ? PACKAGE_FOLDER
        : name === 'url' || name === 'filename'
          ? `${PACKAGE_FOLDER}/config`
          : UNKNOWN;
    const value = next(object);
    if (typeof value === 'string') return name === 'pathname' || name === 'href' ? value : UNKNOWN;
    return isObjectValue(value) ? (value.entries.get(name) ?? UNKNOWN) : UNKNOWN;
  }

  #call({ callee, args: given }: Node<'call'>, next: Next): Value {
    const called = calleeOf(callee);
    if (called === undefined) return UNKNOWN;
    const { name, base } = called;
    if (base === undefined && callee.type === 'member') {
      const list = next(callee.object);
      if (isListValue(list))
        return name === 'join'
          ? joinItems(
              list.items,
              given.map(({ value }) => next(value)),
            )
          : UNKNOWN;
    }
    if (given.length === 1 && IDENTITIES.has(name)) return next(given[0]!.value);
    if (base === 'process' && name === 'cwd') return PACKAGE_FOLDER;
    if (name === 'require' || name === 'import') return UNKNOWN;
    const args = given.flatMap((item) => spreadItem(item, next));
    const texts = args.filter((arg) => typeof arg === 'string');
    const allTexts = texts.length === args.length && texts.length > 0;
    // `resolve()` without a text is a plugin of the bundler's.
    if (PATH_FUNCTIONS.has(name) && (base !== undefined || args.length > 0)) {
      if (!allTexts) return UNKNOWN;
      const path = name === 'resolve' ? posix.resolve(PACKAGE_FOLDER, ...texts) : posix.join(...texts);
      return path.length > MAX_TEXT ? UNKNOWN : path;
    }
    if (name === 'dirname') return allTexts ? posix.dirname(texts[0]!) : UNKNOWN;
    if (name === 'fileURLToPath' || name === 'pathToFileURL') return args[0] ?? UNKNOWN;
    if (name === 'URL')
      return allTexts ? posix.resolve(posix.dirname(texts[1] ?? `${PACKAGE_FOLDER}/config`), texts[0]!) : UNKNOWN;
    if (base === 'Object' && name === 'assign') return mergedArguments(args);
    return { kind: 'call', name, module: this.#modules.get(base ?? name), args };
  }

  /** What a function gives: its expression, or of several that it may return the last, which no condition picked before. */
  #returned(body: Expression | readonly ConfigStatement[], depth: number): Value {
    if (!isStatements(body)) return this.evaluate(body, depth + 1);
    this.#scopes.push(declarationsOf(body));
    const found: Value[] = [];
    this.#collectReturns(body, depth + 1, found);
    this.#scopes.pop();
    return found.findLast((value) => value !== UNKNOWN) ?? UNKNOWN;
  }

  /** True where a statement always returns. */
  #collectReturns(statements: readonly ConfigStatement[], depth: number, found: Value[]): boolean {
    if (depth > MAX_DEPTH || found.length > 50) return true;
    for (const statement of statements) {
      if (statement.type === 'return') {
        found.push(this.evaluate(statement.value, depth + 1));
        return true;
      }
      if (statement.type !== 'if') continue;
      const test = this.evaluate(statement.test, depth + 1);
      const yes = test !== false && this.#collectReturns(statement.yes, depth + 1, found);
      const no = test !== true && this.#collectReturns(statement.no, depth + 1, found);
      if ((yes && (no || test === true)) || (no && test === false)) return true;
    }
    return false;
  }
}

const isFalsy = (value: Value): boolean => value === false || value === null || value === '';

type Next = (node: Expression) => Value;
type Node<Type extends Expression['type']> = Extract<Expression, { type: Type }>;

const isStatements = (body: Expression | readonly ConfigStatement[]): body is readonly ConfigStatement[] =>
  Array.isArray(body);

const declarationsOf = (statements: readonly ConfigStatement[]): ReadonlyMap<string, Expression> =>
  new Map(statements.flatMap((s) => (s.type === 'declare' ? [[s.name, s.value] as const] : [])));

function spreadItem({ value, spread }: Item, next: Next): Value[] {
  const known = next(value);
  if (!spread) return [known];
  if (isListValue(known)) return [...known.items];
  // Of a condition that cannot be known, what either side may add.
  if (value.type === 'conditional' && known === UNKNOWN)
    return [value.yes, value.no].map(next).flatMap((side: Value) => (isListValue(side) ? [...side.items] : []));
  return [UNKNOWN];
}

function evaluateBinary({ operator, left: l, right: r }: Node<'binary'>, next: Next): Value {
  const left = next(l);
  if (operator === '&&') return isFalsy(left) ? left : next(r);
  if (operator === '||' || operator === '??') {
    // What the environment says is not known here: the alternative is what a build without it gets.
    const empty = left === UNKNOWN || left === null || (operator === '||' && isFalsy(left));
    if (empty) return next(r);
    return left;
  }
  const right = next(r);
  if (operator === '+') {
    const sum = typeof left === 'string' && typeof right === 'string' ? left + right : undefined;
    return sum !== undefined && sum.length <= MAX_TEXT ? sum : UNKNOWN;
  }
  return compareValues(left, right, operator.startsWith('='));
}

/** A build is made in production mode, and `build` is the command that is run, whatever variable holds them. */
function compareValues(left: Value, right: Value, equal: boolean): Value {
  const known = left !== UNKNOWN && right !== UNKNOWN;
  const sides = [left, right];
  const building = sides.includes('production') || sides.includes('build');
  if (!known && !building && !sides.includes('development') && !sides.includes('serve')) return UNKNOWN;
  return (known ? left === right : building) === equal;
}

function evaluateConditional({ test, yes, no }: Node<'conditional'>, next: Next): Value {
  const decided = next(test);
  if (decided === true || decided === false) return next(decided ? yes : no);
  const yesValue = next(yes);
  if (yesValue === next(no)) return yesValue;
  return UNKNOWN;
}

/** `['a', 'b'].join('/')` */
function joinItems(items: readonly Value[], [separator = ',']: readonly Value[]): Value {
  const known = typeof separator === 'string' && items.every((item) => typeof item === 'string');
  const text = known ? items.join(separator) : '';
  return known && text.length <= MAX_TEXT ? text : UNKNOWN;
}

function mergedArguments(args: readonly Value[]): Value {
  const objects = args.filter((arg): arg is ObjectValue => isObjectValue(arg));
  return objects.length === 0 ? UNKNOWN : objects.reduce(mergeObjects);
}

/** `{base: 'path', name: 'resolve'}` of `path.resolve`; of a call of a call (`withMDX({…})(config)`) the inner one's. */
function calleeOf(callee: Expression): { name: string; base?: string | undefined } | undefined {
  let at = callee;
  for (let i = 0; at.type === 'call' && i < 10; i++) at = at.callee;
  if (at.type === 'name') return { name: at.name };
  if (at.type !== 'member') return undefined;
  return { name: at.name, base: at.object.type === 'name' ? at.object.name : undefined };
}

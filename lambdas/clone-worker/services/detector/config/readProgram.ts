import { posix } from 'node:path';
import { Evaluator, PACKAGE_FOLDER } from './evaluate.ts';
import { parseProgram } from './parse.ts';
import { type CallValue, callsIn, type ObjectValue, UNKNOWN, unwrapObject, type Value, valueAt } from './values.ts';

/** A longer file is no configuration that somebody wrote by hand. */
const MAX_LENGTH = 200_000;

/** What a configuration file says. Every question answers undefined where the file says nothing about it. */
export interface ProgramConfig {
  readonly file: string;
  /** The exported object; undefined where none is to be found. */
  readonly root: ObjectValue | undefined;
  /** The value at a path of keys: `value('build', 'outDir')`. */
  value(...path: string[]): Value | undefined;
  text(...path: string[]): string | undefined;
  /** A path of the file system, relative to the folder of the package; may begin with `..`. */
  path(...path: string[]): string | undefined;
  /** The same, resolved from a folder of the package where it is not absolute. */
  pathFrom(base: string, ...path: string[]): string | undefined;
  isSet(expected: boolean, ...path: string[]): boolean;
  /** Said, but in a way that cannot be known without running the program. */
  isUnclear(...path: string[]): boolean;
  /** The first call in a list of plugins whose function has one of these names or comes from one of these modules. */
  plugin(names: readonly string[], ...list: string[]): CallValue | undefined;
}

/** Reads a configuration written as a program, without running it, in time linear in the text. Never throws. */
export function readProgram(file: string, source: string): ProgramConfig {
  const { root, named } = readExports(source.length > MAX_LENGTH ? '' : source);
  const readValue = (...path: string[]) =>
    valueAt(root, ...path) ?? (path.length === 0 ? undefined : valueAt(named.get(path[0]!), ...path.slice(1)));
  return {
    file,
    root,
    value: readValue,
    text(...path) {
      const found = readValue(...path);
      return typeof found === 'string' ? found : undefined;
    },
    path(...path) {
      const found = readValue(...path);
      return typeof found === 'string' ? relativePath(found) : undefined;
    },
    pathFrom(base, ...path) {
      const found = readValue(...path);
      if (typeof found !== 'string') return undefined;
      return relativePath(found.startsWith('/') ? found : posix.join(base, found));
    },
    isSet: (expected, ...path) => readValue(...path) === expected,
    isUnclear(...path) {
      const found = readValue(...path);
      // A folder outside of the repository is not where the files can be taken from.
      if (typeof found === 'string') return relativePath(found) === undefined;
      return found === UNKNOWN || (typeof found === 'object' && found !== null && found.kind === 'call');
    },
    plugin: (names, ...list) =>
      callsIn(readValue(...(list.length === 0 ? ['plugins'] : list))).find(
        (call) => names.includes(call.name) || (call.module !== undefined && names.includes(call.module)),
      ),
  };
}

/** Seen from the package; undefined for a path of another place than the repository. */
export function relativePath(text: string): string | undefined {
  if (text.includes('\u0001')) return posix.relative(PACKAGE_FOLDER, text) || '.';
  if (text.startsWith('/')) return undefined;
  return posix.normalize(text).replace(/\/+$/, '') || '.';
}

function readExports(source: string): { root: ObjectValue | undefined; named: ReadonlyMap<string, Value> } {
  const program = parseProgram(source);
  const evaluator = new Evaluator(program);
  const named = new Map<string, Value>();
  let main: Value | undefined;
  for (const statement of program) {
    if (statement.type === 'export' && statement.name === undefined) main = evaluator.evaluate(statement.value);
    else if (statement.type === 'export') named.set(statement.name!, evaluator.evaluate(statement.value));
    else if (statement.type === 'declare' && statement.exported)
      named.set(statement.name, evaluator.evaluate(statement.value));
  }
  return { root: unwrapObject(main) ?? unwrapObject(named.get('config')), named };
}

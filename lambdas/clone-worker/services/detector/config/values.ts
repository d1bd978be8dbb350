/** What a configuration program says, read without running it. */

/** An expression whose value cannot be known without running the program. */
export const UNKNOWN: unique symbol = Symbol('unknown');

/** A call that is kept as it is written: `cloudflare({…})` of a list of plugins. */
export interface CallValue {
  readonly kind: 'call';
  /** Last name of the callee: `d` of `a.b.d()`. */
  readonly name: string;
  /** The module that the callee was imported from. */
  readonly module: string | undefined;
  readonly args: readonly Value[];
}
export interface ObjectValue {
  readonly kind: 'object';
  readonly entries: ReadonlyMap<string, Value>;
  /** Spreads something that is not known: a key that is absent here may be there. */
  readonly open: boolean;
}
export interface ListValue {
  readonly kind: 'list';
  readonly items: readonly Value[];
}
/** A function, as the object that it returns where that is known. */
export interface FunctionValue {
  readonly kind: 'function';
  readonly returns: Value;
}
export type Value =
  | string
  | number
  | boolean
  | null
  | CallValue
  | ObjectValue
  | ListValue
  | FunctionValue
  | typeof UNKNOWN;

export const isObjectValue = (value: Value | undefined): value is ObjectValue =>
  typeof value === 'object' && value !== null && value.kind === 'object';
export const isListValue = (value: Value | undefined): value is ListValue =>
  typeof value === 'object' && value !== null && value.kind === 'list';
export const isCallValue = (value: Value | undefined): value is CallValue =>
  typeof value === 'object' && value !== null && value.kind === 'call';
export const isFunctionValue = (value: Value | undefined): value is FunctionValue =>
  typeof value === 'object' && value !== null && value.kind === 'function';

/** The object that a default export stands for: what is wrapped in calls (`defineConfig`), functions and merges is unwrapped. */
export function unwrapObject(value: Value | undefined, depth = 0): ObjectValue | undefined {
  if (depth > 8 || value === undefined) return undefined;
  if (isObjectValue(value)) return value;
  if (isFunctionValue(value)) return unwrapObject(value.returns, depth + 1);
  if (isListValue(value))
    return firstOf(
      value.items.slice(0, 20).flatMap((item) => (isCallValue(item) ? [] : (unwrapObject(item, depth + 1) ?? []))),
    );
  if (isCallValue(value)) {
    const objects = value.args.flatMap((arg) => unwrapObject(arg, depth + 1) ?? []);
    return objects.length === 0 ? undefined : objects.reduce(mergeObjects);
  }
  return undefined;
}

const firstOf = (objects: readonly ObjectValue[]): ObjectValue | undefined =>
  objects.find((one) => !isForServer(one)) ?? objects[0];

/** Of several configurations, the one whose bundle runs in Node. Source: https://webpack.js.org/configuration/target/ */
const isForServer = (value: ObjectValue): boolean => /^(?:node|async-node|electron)/.test(String(targetOf(value)));
const targetOf = (value: ObjectValue) => {
  const target = value.entries.get('target');
  return typeof target === 'string' ? target : '';
};

/** As `mergeConfig` of Vite and webpack-merge do: nested objects are merged, of everything else the later one wins. */
export function mergeObjects(a: ObjectValue, b: ObjectValue): ObjectValue {
  const entries = new Map(a.entries);
  for (const [key, value] of b.entries) {
    const before = entries.get(key);
    entries.set(key, isObjectValue(before) && isObjectValue(value) ? mergeObjects(before, value) : value);
  }
  return { kind: 'object', entries, open: a.open || b.open };
}

/** The value at a path of keys; undefined where there is none. */
export function valueAt(root: Value | undefined, ...path: readonly string[]): Value | undefined {
  let at: Value | undefined = root;
  for (const key of path) {
    if (!isObjectValue(at)) return undefined;
    at = at.entries.get(key);
  }
  return at;
}

/** Calls anywhere in a list, nested lists and conditions included: `plugins: [a(), [b()], flag && c()]`. */
export function callsIn(value: Value | undefined, depth = 0): CallValue[] {
  if (depth > 6 || value === undefined) return [];
  if (isCallValue(value)) return [value];
  if (isListValue(value)) return value.items.flatMap((item) => callsIn(item, depth + 1));
  return [];
}

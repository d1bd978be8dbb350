/** A change of one entry: `[table, key, value]` sets it, `[table, key]` deletes it. */
export type Change = readonly [table: string, key: string, value?: unknown];

/** A map from strings to JSON values, in the order in which keys were first set. Values are never changed in place. */
export interface Table<T> {
  readonly size: number;
  get(key: string): T | undefined;
  has(key: string): boolean;
  set(key: string, value: T): void;
  delete(key: string): boolean;
  entries(): IterableIterator<[string, T]>;
  values(): IterableIterator<T>;
}

/** Tables that record their changes until `drain` takes them. */
export function createTables() {
  const maps = new Map<string, Map<string, unknown>>();
  let changes: Change[] = [];
  const mapOf = (name: string) => {
    const known = maps.get(name);
    if (known) return known;
    const made = new Map<string, unknown>();
    maps.set(name, made);
    return made;
  };
  return {
    table<T>(name: string): Table<T> {
      const map = mapOf(name) as Map<string, T>;
      return {
        get size() {
          return map.size;
        },
        get: (key) => map.get(key),
        has: (key) => map.has(key),
        set(key, value) {
          map.set(key, value);
          changes.push([name, key, value]);
        },
        delete(key) {
          if (!map.delete(key)) return false;
          changes.push([name, key]);
          return true;
        },
        entries: () => map.entries(),
        values: () => map.values(),
      };
    },
    /** The changes since the last call. */
    drain(): Change[] {
      const taken = changes;
      changes = [];
      return taken;
    },
    /** Empties all tables, before their content is loaded again. */
    clear(): void {
      changes = [];
      for (const map of maps.values()) map.clear();
    },
    /** Applies changes that are on disk already. */
    load(loaded: readonly Change[]): void {
      for (const change of loaded) {
        if (change.length === 3) mapOf(change[0]).set(change[1], change[2]);
        else mapOf(change[0]).delete(change[1]);
      }
    },
    *entries(): Iterable<Change> {
      for (const [name, map] of maps) for (const [key, value] of map) yield [name, key, value];
    },
  };
}

/** The fields of a package.json that detection reads, with whatever has the wrong type left out. */
export interface PackageJson {
  readonly name: string | undefined;
  readonly private: boolean;
  readonly main: string | undefined;
  readonly packageManager: string | undefined;
  readonly scripts: ReadonlyMap<string, string>;
  readonly dependencies: ReadonlyMap<string, string>;
  readonly devDependencies: ReadonlyMap<string, string>;
  readonly engines: ReadonlyMap<string, string>;
  readonly volta: ReadonlyMap<string, string>;
  /** Patterns of `workspaces`, in either of its forms; undefined where there is no such field. */
  readonly workspaces: readonly string[] | undefined;
  readonly devEngines: {
    readonly runtime: readonly DevEngine[];
    readonly packageManager: readonly DevEngine[];
  };
  /** Says that it is made to be installed by others. */
  readonly isLibrary: boolean;
  /** Other tools' settings, by key: only to see whether they are there. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface DevEngine {
  readonly name: string;
  readonly version: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined);

function textsOf(value: unknown): ReadonlyMap<string, string> {
  if (!isObject(value)) return new Map();
  return new Map(Object.entries(value).filter((pair): pair is [string, string] => textOf(pair[1]) !== undefined));
}

/** Devengines' fields are one object or a list of them. Source: npm's documentation of package.json, `devEngines`. */
const devEngine = (value: unknown): DevEngine[] =>
  (Array.isArray(value) ? value : [value]).filter(isObject).flatMap((one) => {
    const name = textOf(one.name);
    return name === undefined ? [] : [{ name, version: textOf(one.version) }];
  });

function workspacePatterns(value: unknown): readonly string[] | undefined {
  const list = isObject(value) ? value.packages : value;
  return Array.isArray(list) ? list.filter((p): p is string => typeof p === 'string') : undefined;
}

/** The text as JSON object. Throws a SyntaxError with a reason for people. */
export function parseJsonObject(source: string): Json {
  if (source.startsWith('version https://git-lfs.github.com/'))
    throw new SyntaxError('it is a Git LFS pointer, not the file itself');
  let value: unknown;
  try {
    value = JSON.parse(source.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new SyntaxError(
      `it is not valid JSON (${(error as Error).message.slice(0, 120).replace(/[^\x20-\x7e]/g, '?')})`,
    );
  }
  if (!isObject(value)) throw new SyntaxError('it holds no JSON object');
  return value;
}

export function readPackageJson(source: string): PackageJson {
  const json = parseJsonObject(source);
  const devEngines = isObject(json.devEngines) ? json.devEngines : {};
  return {
    name: textOf(json.name),
    private: json.private === true,
    main: textOf(json.main),
    packageManager: textOf(json.packageManager),
    scripts: textsOf(json.scripts),
    dependencies: textsOf(json.dependencies),
    devDependencies: textsOf(json.devDependencies),
    engines: textsOf(json.engines),
    volta: textsOf(json.volta),
    workspaces: workspacePatterns(json.workspaces),
    devEngines: { runtime: devEngine(devEngines.runtime), packageManager: devEngine(devEngines.packageManager) },
    isLibrary:
      json.private !== true &&
      ['exports', 'publishConfig', 'files', 'peerDependencies', 'types', 'typings', 'unpkg', 'jsdelivr'].some((key) =>
        Object.hasOwn(json, key),
      ),
    raw: json,
  };
}

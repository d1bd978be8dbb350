import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

/** The repository's root: what entry points and Dockerfiles are relative to. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Sources that must never be in a function: adapters of the laptop, and what would make a cold start slow. */
const FORBIDDEN = [/node_modules\/aws-cdk-lib\//, /node_modules\/constructs\//, /^lib\//, /^(local|operator|test)\//];

/** A bundle's files by name, and what went into them. */
export interface Bundle {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly inputs: readonly string[];
  /** Bytes that each input has in the output. */
  readonly weights: ReadonlyMap<string, number>;
  /** Sources that run at a cold start: those of the entry and of what it imports at once. */
  readonly atStart: readonly string[];
}

/** zod brings its messages in forty languages, a third of a small function. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup(build) {
    build.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.c?js$/ }, (file) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: dirname(file.path),
    }));
  },
};

/**
 * The one bundling policy: ESM, minified, with a source map, and with all packages, also the AWS SDK, since we do not
 * control the version of the runtime's. esbuild runs in this process, so neither Docker nor network is needed; paths
 * are virtual, so that the output does not depend on where the assembly is written.
 * @param name folder under `lambdas/`, whose `<name>.lambda.ts` is the entry
 * @throws Error naming the import when something forbidden got in, or what a late import would find empty
 */
export async function bundleFunction(name: string): Promise<Bundle> {
  const entry = `lambdas/${name}/${name}.lambda.ts`;
  const outdir = join(ROOT, '.bundle');
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { index: entry },
    outdir,
    write: false,
    bundle: true,
    // What is imported when it is needed is a file of its own, which a cold start does not even read.
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    // ioredis's errors are recognised by the names of their classes, which minifying would change.
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    plugins: [englishOnly],
    metafile: true,
    logLevel: 'error',
    // CommonJS packages in the bundle call require() for Node's own modules; ESM has none.
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
  });
  const inputs = Object.keys(metafile.inputs);
  refuseForbidden(entry, inputs);
  refuseLateCommonJs(entry, metafile);
  const weights = Object.values(metafile.outputs).flatMap((o) => Object.entries(o.inputs));
  return {
    files: new Map(outputFiles.map((f) => [relative(outdir, f.path), f.contents])),
    inputs,
    weights: new Map(weights.map(([path, { bytesInOutput }]) => [path, bytesInOutput])),
    atStart: sourcesAtStart(metafile),
  };
}

/** Follows the imports of the entry's file that are not put off. */
function sourcesAtStart({ outputs }: Metafile): string[] {
  const seen = new Set<string>();
  const follow = (path: string): string[] => {
    const output = outputs[path];
    if (!output || seen.has(path)) return [];
    seen.add(path);
    const now = output.imports.filter(({ kind }) => kind === 'import-statement');
    return [...Object.keys(output.inputs), ...now.flatMap((imported) => follow(imported.path))];
  };
  return Object.keys(outputs).flatMap((path) =>
    outputs[path]?.entryPoint?.endsWith('.lambda.ts') ? follow(path) : [],
  );
}

/** @throws Error naming sources that must not be in a function */
export function refuseForbidden(entry: string, inputs: readonly string[]): void {
  const bad = inputs.filter((path) => FORBIDDEN.some((pattern) => pattern.test(path)));
  if (bad.length > 0) throw new Error(`${entry} bundles what a function must not hold: ${bad.slice(0, 5).join(', ')}`);
}

/**
 * A CommonJS package that is imported late is a file with a default export alone; the names that the source asks for are
 * undefined when the function runs. A module of ours that exports them from the package has them.
 * @throws Error naming the imports
 */
export function refuseLateCommonJs(entry: string, { inputs }: Pick<Metafile, 'inputs'>): void {
  const late = Object.entries(inputs).flatMap(([from, { imports }]) =>
    imports
      .filter(({ kind, path }) => kind === 'dynamic-import' && inputs[path]?.format === 'cjs')
      .map(({ path }) => `${from} → ${path}`),
  );
  if (late.length > 0)
    throw new Error(`${entry} imports CommonJS packages late, without their names: ${late.slice(0, 5).join(', ')}`);
}

const prepared = new Map<string, Bundle>();

/** Bundles functions before the app is built: esbuild's plugins are asynchronous, and constructs are not. */
export async function prepareBundles(names: readonly string[]): Promise<void> {
  const made = await Promise.all(names.map(async (name) => [name, await bundleFunction(name)] as const));
  for (const [name, files] of made) prepared.set(name, files);
}

/** @throws Error where the function was not bundled before */
export function preparedBundle(name: string): Bundle {
  const found = prepared.get(name);
  if (!found) throw new Error(`${name} is not bundled: bin/veren.ts calls prepareBundles() first`);
  return found;
}

/** Writes a bundle into a folder. */
export function writeBundle({ files }: Pick<Bundle, 'files'>, folder: string): void {
  for (const [name, contents] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), contents);
  }
}

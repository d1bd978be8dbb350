import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** The repository's root: what entry points and Dockerfiles are relative to. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Sources that must never be in a function: they would run the wrong thing, or make a cold start slow. */
const FORBIDDEN = [
  /node_modules\/aws-cdk-lib\//,
  /node_modules\/constructs\//,
  /^lambdas\/shared\/adapters\/memory\//,
  /^lib\//,
  /^local\//,
];

/** A bundle's files by name, and what went into them. */
export interface Bundle {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly inputs: readonly string[];
}

/**
 * The one bundling policy: ESM, minified, source map beside it, everything in (the AWS SDK too: the runtime's version is
 * not ours). In-process esbuild, so neither Docker nor network; paths are virtual, so the output does not depend on where
 * the assembly is written.
 * @param entry relative to the repository's root
 * @throws Error naming the import when something forbidden got in
 */
export function bundle(entry: string): Bundle {
  const outdir = join(ROOT, '.bundle');
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: { index: entry },
    outdir,
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
    // CommonJS packages in the bundle call require() for Node's own modules; ESM has none.
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
  });
  const inputs = Object.keys(metafile.inputs);
  const bad = inputs.filter((path) => FORBIDDEN.some((pattern) => pattern.test(path)));
  if (bad.length > 0) throw new Error(`${entry} bundles what a function must not hold: ${bad.slice(0, 5).join(', ')}`);
  return { files: new Map(outputFiles.map((f) => [relative(outdir, f.path), f.contents])), inputs };
}

/** Writes a bundle into a folder. */
export function writeBundle({ files }: Bundle, folder: string): void {
  for (const [name, contents] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), contents);
  }
}

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** `isolated` is what runs in the second container of a Dockerfile's build; it has neither SDK nor Kafka client. */
export type BuilderTarget = 'frontend' | 'backend' | 'isolated';

const ENTRY: Readonly<Record<BuilderTarget, string>> = {
  frontend: 'builder-image-frontend/script.ts',
  backend: 'build-image-backend/script.ts',
  isolated: 'build-image-backend/isolated/main.ts',
};

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Packages inside the bundle that expect to be CommonJS look for these. */
export const NODE_BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
].join('\n');

/** zod brings its messages in forty languages, a quarter of the script's start. */
export const englishOnly: Plugin = {
  name: 'english-only',
  setup(build) {
    build.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.c?js$/ }, (file) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: dirname(file.path),
    }));
  },
};

/**
 * Bundles a builder's script into an ES module that plain `node` (20 or newer) runs, the SDK and kafkajs inside. The
 * frontend's script starts in front of a waiting user, so what it imports lazily is left apart, in the folder `chunks` beside
 * `outFile`: node would otherwise compile all of it at the start. The backend's is one file.
 */
export async function bundleBuilder(target: BuilderTarget, outFile: string): Promise<void> {
  const { dir, name, ext } = parse(outFile);
  await build({
    entryPoints: { [name]: join(HERE, ENTRY[target]) },
    outdir: dir,
    outExtension: { '.js': ext },
    splitting: target === 'frontend',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: NODE_BANNER },
    // Optional dependencies that are not installed and not used.
    external: ['@aws-sdk/signature-v4-crt', '@aws-sdk/crt-loader', 'aws-crt'],
    plugins: [englishOnly],
    legalComments: 'none',
    logLevel: 'warning',
  });
}

/**
 * Writes the bundles to where the Dockerfiles copy them from, `<folder of the builder>/dist/`. Has to run before
 * an image is built, or its context hashed: `tsx builder-images/bundle.ts`.
 */
export async function bundleBuilders(): Promise<void> {
  const dists: Readonly<Record<BuilderTarget, string>> = {
    frontend: 'builder-image-frontend/dist/script.mjs',
    backend: 'build-image-backend/dist/script.mjs',
    isolated: 'build-image-backend/dist/isolated.mjs',
  };
  for (const file of Object.values(dists)) await rm(join(HERE, dirname(file)), { recursive: true, force: true });
  for (const target of Object.keys(ENTRY) as BuilderTarget[])
    if (existsSync(join(HERE, ENTRY[target]))) await bundleBuilder(target, join(HERE, dists[target]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) void bundleBuilders();

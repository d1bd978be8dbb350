import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export type BuilderTarget = 'frontend' | 'backend';

const ENTRY: Readonly<Record<BuilderTarget, string>> = {
  frontend: 'builder-image-frontend/script.ts',
  backend: 'build-image-backend/script.ts',
};

/** Packages inside the bundle that expect to be CommonJS look for these. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
].join('\n');

/**
 * Bundles a builder's script into one ES module that plain `node` (20 or newer) runs, the SDK and kafkajs inside. What the
 * script imports lazily stays lazy: it is parsed at its first use.
 */
export async function bundleBuilder(target: BuilderTarget, outFile: string): Promise<void> {
  await build({
    entryPoints: [join(fileURLToPath(new URL('.', import.meta.url)), ENTRY[target])],
    outfile: outFile,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: BANNER },
    // Optional dependencies that are not installed and not used.
    external: ['@aws-sdk/signature-v4-crt', '@aws-sdk/crt-loader', 'aws-crt'],
    legalComments: 'none',
    logLevel: 'warning',
  });
}

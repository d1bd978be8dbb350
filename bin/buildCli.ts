import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { englishOnly, NODE_BANNER } from '../builder-images/bundle.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Bundles the command into one ES module that plain `node` runs, with the licences of what is in it beside it. */
async function bundleCli(outFile: string): Promise<void> {
  const { metafile } = await build({
    entryPoints: [join(ROOT, 'cli/veren.ts')],
    outfile: outFile,
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: NODE_BANNER },
    plugins: [englishOnly],
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  await writeFile(join(dirname(outFile), 'LICENSES.txt'), await collectLicenses(Object.keys(metafile.inputs)));
}

/** MIT and ISC ask that their notice goes with every copy. */
async function collectLicenses(inputs: readonly string[]): Promise<string> {
  const folders = new Set(inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  const texts = await Promise.all(
    [...folders].toSorted().map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'));
      const names = ['LICENSE', 'LICENSE.md', 'license', 'LICENCE'];
      const found = await Promise.all(
        names.map((file) => readFile(join(ROOT, folder, file), 'utf8').catch(() => null)),
      );
      return `${name} ${version} (${license})\n\n${found.find((text) => text !== null) ?? 'No text of the licence comes with it.'}`;
    }),
  );
  return texts.join(`\n${'-'.repeat(80)}\n`);
}

/** `tsx bin/buildCli.ts [file]`; default: where `npm pack` takes it from. */
const outFile = resolve(process.argv[2] ?? join(ROOT, 'cli/dist/veren.mjs'));
await rm(dirname(outFile), { recursive: true, force: true });
await bundleCli(outFile);

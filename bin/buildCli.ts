import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { englishOnly, NODE_BANNER } from '../builder-images/bundle.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** What only `veren mcp` needs is a file of its own, which no other command loads. */
const mcpApart: Plugin = {
  name: 'mcp apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/mcp\/startMcp\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './mcp.mjs', external: true } : undefined,
    ),
};

/** Bundles the command into ES modules that plain `node` runs, with the licences of what is in them beside them. */
async function bundleCli(outFile: string): Promise<void> {
  const plugins = [englishOnly, mcpApart];
  const common = {
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: NODE_BANNER },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  } as const satisfies BuildOptions;
  const bundles = await Promise.all([
    build({ ...common, plugins, entryPoints: [join(ROOT, 'cli/veren.ts')], outfile: outFile }),
    build({
      ...common,
      plugins,
      entryPoints: [join(ROOT, 'cli/mcp/startMcp.ts')],
      outfile: join(dirname(outFile), 'mcp.mjs'),
    }),
  ]);
  const inputs = bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  await writeFile(join(dirname(outFile), 'LICENSES.txt'), await collectLicenses(inputs));
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

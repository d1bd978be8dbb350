import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * `npm run bench [-- name …]`: runs the benchmarks of this folder, each of which exports `run` and prints ratios against
 * a baseline measured in the same run. They are no tests: nothing here passes or fails. `scan` takes folders behind its
 * name: `npm run bench -- scan my-site/dist other/build`.
 */
const known = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts' && !file.startsWith('_'))
  .map((file) => file.slice(0, -3))
  .sort();
const given = process.argv.slice(2);
const folders = given[0] === 'scan' ? given.slice(1).filter((word) => !known.includes(word)) : [];
const wanted = given.filter((word) => !folders.includes(word));
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : known) {
  console.log(`\n== ${name}`);
  const { run } = (await import(join(import.meta.dirname, `${name}.ts`))) as {
    run: (folders: readonly string[]) => Promise<void>;
  };
  await run(name === 'scan' ? folders : []);
}
process.exit(0);

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { scanFiles } from '../builder-images/builder-image-frontend/utils/scan/scan.ts';
import { walkOutput } from '../builder-images/builder-image-frontend/utils/walk.ts';
import { makeOutput } from './_output.ts';
import { median, spread } from './_stats.ts';

const ROUNDS = 3;

/**
 * The scan for secrets. Without folders, of the output that `publish` measures with (5,000 small and 20 large files); else of
 * the built sites in them, with a line of a table for each and every find by its file and line. It comes before the upload
 * and is no part of that benchmark.
 */
export async function run(folders: readonly string[] = []): Promise<void> {
  if (folders.length > 0) return measureSites(folders);
  const folder = await mkdtemp(join(tmpdir(), 'veren-bench-'));
  try {
    await makeOutput(folder);
    for (const [name, root] of [
      ['5,000 small and 20 large files', folder],
      ['5,000 small files', join(folder, 'pages')],
    ] as const) {
      const site = await measure(root);
      console.log(`${name}: ${site.files} files, ${site.megabytes.toFixed(1)} MB`);
      for (const [what, seconds] of [['time', site.times] as const, ['CPU ', site.cpu] as const])
        console.log(
          `  ${what} ${spread(seconds)}, ${perThousand(site, seconds)} ms per 1,000 files, ${(site.megabytes / median(seconds)).toFixed(0)} MB/s`,
        );
      tellFinds(site);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureSites(folders: readonly string[]): Promise<void> {
  console.log('| output | files | MB | ms per 1,000 files (CPU) | build fails | warnings |\n|---|---|---|---|---|---|');
  const sites: Site[] = [];
  for (const folder of folders) {
    const site = await measure(resolve(folder));
    sites.push(site);
    const count = (effect: string) => site.finds.filter((find) => find.effect === effect).length;
    console.log(
      `| ${folder} | ${site.files} | ${site.megabytes.toFixed(1)} | ${perThousand(site, site.times)} (${perThousand(site, site.cpu)}) | ${count('fails')} | ${count('warns')} |`,
    );
  }
  for (const site of sites) if (site.finds.length > 0 || site.unread.length > 0) tellFinds(site);
  const files = sites.reduce((sum, site) => sum + site.files, 0);
  const seconds = sites.reduce((sum, { times }) => sum + median(times), 0);
  const failing = sites.filter(({ finds }) => finds.some(({ effect }) => effect === 'fails')).length;
  console.log(
    `${sites.length} outputs, ${files} files, ${((seconds / files) * 1e6).toFixed(0)} ms per 1,000 files; the scan fails ${failing} of them`,
  );
}

interface Site {
  readonly root: string;
  readonly files: number;
  readonly megabytes: number;
  readonly times: readonly number[];
  readonly cpu: readonly number[];
  readonly finds: readonly { readonly place: string; readonly effect: string }[];
  readonly unread: readonly string[];
}

const perThousand = ({ files }: Site, seconds: readonly number[]) => ((median(seconds) / files) * 1e6).toFixed(0);

function tellFinds({ root, finds, unread }: Site): void {
  const text = finds.map(({ place, effect }) => `${effect}: ${place}`);
  console.log(`  finds in ${root}: ${text.slice(0, 20).join('; ') || 'none'}`);
  if (unread.length > 0) console.log(`  not read to the end: ${unread.join(', ')}`);
}

async function measure(root: string): Promise<Site> {
  if (!(await stat(root)).isDirectory()) throw new Error(`${root} is no folder`);
  const { signal } = new AbortController();
  const files = await walkOutput({
    ...{ root, name: root, inside: root, signal, holds: 'output', ownerUid: undefined },
    ...{ maxFiles: 1_000_000, maxBytes: Number.MAX_SAFE_INTEGER },
  });
  if (files.length === 0) throw new Error(`${root} holds no files`);
  const times: number[] = [];
  const cpu: number[] = [];
  let result: Awaited<ReturnType<typeof scanFiles>> | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    result = await scanFiles(files, signal);
    const { user, system } = process.cpuUsage(before);
    times.push(result.seconds);
    cpu.push((user + system) / 1e6);
  }
  return {
    root,
    files: files.length,
    megabytes: files.reduce((sum, { size }) => sum + size, 0) / 1e6,
    times,
    cpu,
    finds: result!.finds.map(({ path, find }) => ({
      place: `${find.kind.id} in ${path}, line ${find.line}`,
      effect: find.kind.effect,
    })),
    unread: result!.unread,
  };
}

import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scanFiles } from '../builder-images/builder-image-frontend/utils/scan/scan.ts';
import { walkOutput } from '../builder-images/builder-image-frontend/utils/walk.ts';
import { makeOutput } from './_output.ts';
import { median, spread } from './_stats.ts';

const ROUNDS = 3;

/**
 * The scan for secrets of the output that `publish` measures with (5,000 small and 20 large files), and of what lies in
 * the folders that SCAN_FOLDERS names, separated by `:`. It comes before the upload and is no part of that benchmark.
 */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'veren-bench-'));
  try {
    await makeOutput(folder);
    await measure('5,000 small and 20 large files', folder);
    await measure('5,000 small files', join(folder, 'pages'));
    for (const given of (process.env.SCAN_FOLDERS ?? '').split(':').filter(Boolean)) await measure(given, given);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(name: string, root: string): Promise<void> {
  if (!(await stat(root)).isDirectory() || (await readdir(root)).length === 0) return console.log(`${name}: no files`);
  const { signal } = new AbortController();
  const files = await walkOutput({
    ...{ root, name, inside: root, signal, holds: 'output', ownerUid: undefined },
    ...{ maxFiles: 1_000_000, maxBytes: Number.MAX_SAFE_INTEGER },
  });
  const times: number[] = [];
  const cpu: number[] = [];
  let finds = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    const result = await scanFiles(files, signal);
    const { user, system } = process.cpuUsage(before);
    times.push(result.seconds);
    cpu.push((user + system) / 1e6);
    finds = new Map();
    for (const { find } of result.finds) finds.set(find.kind.id, (finds.get(find.kind.id) ?? 0) + 1);
  }
  const megabytes = files.reduce((sum, { size }) => sum + size, 0) / 1e6;
  console.log(`${name}: ${files.length} files, ${megabytes.toFixed(1)} MB`);
  for (const [what, seconds] of [['time', times] as const, ['CPU ', cpu] as const]) {
    const middle = median(seconds);
    const perThousand = (middle / files.length) * 1e6;
    console.log(
      `  ${what} ${spread(seconds)}, ${perThousand.toFixed(0)} ms per 1,000 files, ${(megabytes / middle).toFixed(0)} MB/s`,
    );
  }
  console.log(`  finds: ${[...finds].map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none'}`);
}

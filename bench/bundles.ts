import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { FunctionEnvSchemas, type FunctionName } from '../contract/function-env.ts';
import { ROOT } from '../lib/constructs/bundle.ts';
import { bundleTree, type ColdStart, startCold, type Tree } from './_coldStart.ts';

/** Goals. Functions that run git are images and exempt from the size. */
const GOAL = { bytes: 1.5 * 1024 * 1024, ms: 150 } as const;
const IMAGES: readonly FunctionName[] = ['clone-worker', 'repo-analyzer'];
const RUNS = 7;
/** Another checkout, with its node_modules, to compare with: `git worktree add /tmp/base <commit>`. */
const BASE = process.env.VEREN_BENCH_BASE;

/**
 * Each function's bundle: its size in a zip with the source maps, and how long Node takes to load the module (median of
 * fresh processes, without Node's own start). Loading runs the entry's top level, with an environment that is valid and
 * reaches nothing. `first` is the processor's time for loading and a first invoke. With VEREN_BENCH_BASE the same of
 * another checkout, in turns with this one, and the ratios.
 */
export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'veren-bundles-'));
  const names = Object.keys(FunctionEnvSchemas) as FunctionName[];
  try {
    console.log(`Node ${process.version}; goals: zip <= 1.5 MB, module load <= ${GOAL.ms} ms; CPU and load in ms\n`);
    const own = await bundleTree(ROOT, names, folder);
    const base = BASE === undefined ? undefined : await bundleTree(BASE, names, folder);
    const columns = ['zip+map', 'load', 'load CPU', 'first CPU'];
    const compared = base ? [...columns.slice(1).map((name) => `base ${name}`), 'ratio', 'r. CPU', 'r. first'] : [];
    console.log('function'.padEnd(16), ...[...columns, ...compared].map((name) => name.padStart(10)));
    for (const name of names) {
      const rounds = Array.from({ length: RUNS }, () => ({
        own: startCold(own, name),
        base: base && startCold(base, name),
      }));
      const mine = medianOf(rounds.map((round) => round.own));
      const other = base && medianOf(rounds.map((round) => round.base as ColdStart));
      const zip = zippedSize(own, name);
      const misses = [
        ...(zip > GOAL.bytes && !IMAGES.includes(name) ? ['size'] : []),
        ...(mine.load > GOAL.ms ? ['load'] : []),
      ];
      const cells = [`${(zip / 1024).toFixed(0)} KiB`, ...Object.values(mine).map((ms) => ms.toFixed(0))];
      if (other) cells.push(...Object.values(other).map((ms) => ms.toFixed(0)), ...ratios(mine, other));
      const remark = misses.length > 0 ? `  misses its goal: ${misses.join(', ')}` : '';
      console.log(name.padEnd(16), ...cells.map((cell) => cell.padStart(10)), remark);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const KEYS = ['load', 'loadCpu', 'firstCpu'] as const;
const ratios = (mine: ColdStart, other: ColdStart) => KEYS.map((key) => (mine[key] / other[key]).toFixed(2));

function medianOf(starts: readonly ColdStart[]): ColdStart {
  const median = (key: keyof ColdStart) =>
    starts.map((start) => start[key]).sort((a, b) => a - b)[Math.floor(starts.length / 2)] as number;
  return { load: median('load'), loadCpu: median('loadCpu'), firstCpu: median('firstCpu') };
}

/** What a zip holds of these files; its headers are some hundred bytes more. */
function zippedSize(tree: Tree, name: string): number {
  const folder = dirname(tree.entryOf(name));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const zipped = files.map((file) => deflateRawSync(readFileSync(join(file.parentPath, file.name)), { level: 9 }));
  return zipped.reduce((sum, { length }) => sum + length, 0);
}

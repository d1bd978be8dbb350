import { join } from 'node:path';
import { manifestPaths } from '../lambdas/clone-worker/services/detector/manifests.ts';
import {
  detectCase,
  failedChecks,
  type KindCase,
  readKinds,
} from '../test/lambdas/clone-worker/services/detector/kinds.ts';
import { memoryFs } from '../test/support/memoryFs.ts';

const ROUNDS = 5;

/** How many of the known trees get the right plan, by kind, and what one plan costs beside reading its manifests alone. */
export async function run(): Promise<void> {
  const folder = join(import.meta.dirname, '../test/fixtures/detection');
  const kinds = new Map<string, KindCase[]>();
  for (const file of ['kinds.json', 'siblings.json'])
    for (const [kind, cases] of Object.entries(readKinds(join(folder, file))))
      kinds.set(kind, [...(kinds.get(kind) ?? []), ...cases]);
  let right = 0;
  let all = 0;
  for (const [kind, cases] of kinds) {
    const good = await countRight(cases);
    right += good;
    all += cases.length;
    console.log(`${kind.padEnd(4)} ${good} of ${cases.length}`);
  }
  console.log(`all  ${right} of ${all} (${((100 * right) / all).toFixed(1)} %)`);

  const cases = [...kinds.values()].flat();
  const plans: number[] = [];
  const readings: number[] = [];
  for (let round = 0; round < ROUNDS; round++)
    for (const one of cases) {
      readings.push(await timed(() => readManifests(one)));
      plans.push(await timed(() => detectCase(one)));
    }
  const [p50, p99] = [quantile(plans, 0.5), quantile(plans, 0.99)];
  console.log(`a plan: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (${plans.length} plans)`);
  console.log(`ratio to reading the manifests alone: ${(p50 / quantile(readings, 0.5)).toFixed(1)}`);
}

async function countRight(cases: readonly KindCase[]): Promise<number> {
  let good = 0;
  for (const one of cases) if (failedChecks(await detectCase(one), one.checks).length === 0) good += 1;
  return good;
}

async function readManifests({ tree }: KindCase): Promise<void> {
  const fs = memoryFs(tree);
  await fs.read(manifestPaths(fs, []), 1_048_576);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - from) / 1e6;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import type { z } from 'zod';
import { BUILDERS } from '../contract/builders.ts';
import { FunctionEnvSchemas, type FunctionName } from '../contract/function-env.ts';
import { bundleFunction, writeBundle } from '../lib/constructs/bundle.ts';

/** Goals. Functions that run git are images and exempt from the size. */
const GOAL = { bytes: 1.5 * 1024 * 1024, ms: 150 } as const;
const IMAGES: readonly FunctionName[] = ['clone-worker', 'repo-analyzer'];
const RUNS = 9;

/**
 * Each function's bundle: its size in a zip, with and without the source map, and how long Node takes to load the module
 * (median of fresh processes, without Node's own start). Loading runs the entry's top level, with an environment that is
 * valid and reaches nothing: engines are opened at the first invoke.
 */
export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'veren-bundles-'));
  try {
    console.log(`Node ${process.version}; goals: zip <= 1.5 MB, module load <= ${GOAL.ms} ms\n`);
    console.log(
      'function'.padEnd(18),
      'code'.padStart(9),
      'zip'.padStart(9),
      'zip+map'.padStart(9),
      'load ms'.padStart(9),
      'of it CPU'.padStart(9),
      ' largest inputs',
    );
    for (const name of Object.keys(FunctionEnvSchemas) as FunctionName[]) {
      const made = await bundleFunction(name);
      const target = join(folder, name);
      writeBundle(made, target);
      const code = made.files.get('index.mjs') as Uint8Array;
      const zip = zipped([code]);
      const withMap = zipped([...made.files.values()]);
      const load = loadTime(join(target, 'index.mjs'), name);
      const misses = [
        ...(withMap > GOAL.bytes && !IMAGES.includes(name) ? ['size'] : []),
        ...(load.wall > GOAL.ms ? ['load'] : []),
      ];
      console.log(
        name.padEnd(18),
        kib(code.length).padStart(9),
        kib(zip).padStart(9),
        kib(withMap).padStart(9),
        load.wall.toFixed(0).padStart(9),
        load.cpu.toFixed(0).padStart(9),
        ` ${largest(made.weights)}${misses.length > 0 ? `  (misses its goal: ${misses.join(', ')})` : ''}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const kib = (bytes: number) => `${(bytes / 1024).toFixed(0)} KiB`;
/** What a zip holds of these files; its headers are some hundred bytes more. */
const zipped = (files: Uint8Array[]) => files.reduce((sum, f) => sum + deflateRawSync(f, { level: 9 }).length, 0);

/** Milliseconds; the CPU's part is what a busy machine does not stretch. */
function loadTime(file: string, name: FunctionName): { wall: number; cpu: number } {
  const script = `const t = performance.now(), c = process.cpuUsage(); await import(${JSON.stringify(file)}); console.log(performance.now() - t); console.log(process.cpuUsage(c).user / 1000); process.exit(0);`;
  const env = { PATH: process.env.PATH, AWS_REGION: 'ap-south-1', ...sample(name) };
  // Lambda's runtime has this global; response streaming is wrapped with it.
  const prelude = 'globalThis.awslambda = { streamifyResponse: (f) => f };';
  const runs = Array.from({ length: RUNS }, () =>
    execFileSync(process.execPath, ['--input-type=module', '-e', prelude + script], { env, encoding: 'utf8' })
      .split('\n')
      .map(Number),
  );
  const median = (column: number) => runs.map((r) => r[column] as number).sort((a, b) => a - b)[Math.floor(RUNS / 2)];
  return { wall: median(0) as number, cpu: median(1) as number };
}

/** A valid environment for every function. */
export function sample(name: FunctionName): Record<string, string> {
  const numbers = /TIMEOUT|LIMIT/;
  const fixed: Record<string, string> = {
    REDIS_URL: 'redis://127.0.0.1:1',
    KAFKA_SECURITY: 'plaintext',
    GIT_HOSTS: 'public',
    BUILDER_SPOT: 'false',
    SITES_BY_PATH: 'true',
    WEBSOCKET_CALLBACK_URL: 'https://127.0.0.1',
  };
  const needed = Object.entries(FunctionEnvSchemas[name].shape).filter(([, s]) => !(s as z.ZodType).isOptional());
  const names = [...needed.map(([n]) => n), ...BUILDERS.flatMap((b) => Object.values(b.env))];
  return Object.fromEntries(names.map((n) => [n, fixed[n] ?? (numbers.test(n) ? '60' : 'x')]));
}

/** The packages that weigh most in the output. */
function largest(weights: ReadonlyMap<string, number>): string {
  const byPackage = new Map<string, number>();
  for (const [path, bytes] of weights) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'veren';
    byPackage.set(name, (byPackage.get(name) ?? 0) + bytes);
  }
  const top = [...byPackage].sort(([, a], [, b]) => b - a).slice(0, 3);
  return top.map(([name, bytes]) => `${name} ${kib(bytes)}`).join(', ');
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleBuilder } from '../../builder-images/bundle.ts';
import { World } from './harness.ts';

/** One bundle and one world per test file. */
export function useWorld(): () => World {
  const folder = mkdtempSync(join(tmpdir(), 'veren-bundle-'));
  let world: World;
  beforeAll(async () => {
    await bundleBuilder('frontend', join(folder, 'script.mjs'));
    world = await new World(join(folder, 'script.mjs')).start();
  }, 60_000);
  afterAll(async () => {
    await world?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => world;
}

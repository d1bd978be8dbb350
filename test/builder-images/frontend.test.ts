import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleBuilder } from '../../builder-images/bundle.ts';
import { repository, World } from './harness.ts';

/** The builder's entry point, run as a task would run it, against the laptop's S3 and Kafka endpoints. */
const folder = mkdtempSync(join(tmpdir(), 'veren-bundle-'));
const bundle = join(folder, 'script.mjs');
let world: World;

beforeAll(async () => {
  await bundleBuilder('frontend', bundle);
  world = await new World(bundle).start();
}, 60_000);
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a static page is published as it is', async () => {
  const repo = repository(join(world.dir, 'static'), { 'index.html': '<p>hi', 'a/b.css': 'p{}', '.env': 'SECRET=1' });
  const built = await world.build({ projectId: 'static', ...repo });
  console.log(built.output, built.code, JSON.stringify(built.events, null, 1), built.log);
  expect(built.code).toBe(0);
}, 60_000);

import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { startVeren, temporaryFolder } from '../../support/veren.ts';

test('a start that cannot have the folder leaves nothing in it: signing begins when it is ours', async () => {
  const folder = await temporaryFolder();
  const dataDir = folder.path;
  // The earlier version is running: it goes on accepting deployments and publishing what is not signed.
  await writeFile(join(dataDir, 'credentials.json'), '{}');
  const running = await openMemoryPlatform({ dataDir, clock: { now: Date.now } });
  const before = (await readdir(dataDir)).sort();
  await expect(startVeren(dataDir)).rejects.toThrow(/DATA_FOLDER_LOCKED/);
  expect((await readdir(dataDir)).sort()).toEqual(before);
  await running.close();
  await folder.remove();
}, 60_000);

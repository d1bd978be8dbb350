import { writeSync } from 'node:fs';
import { killRun } from '../support/killRun.ts';
import { temporaryFolder } from '../support/veren.ts';

/**
 * The platform and its builders are killed (SIGKILL) while they work. `VEREN_KILLS=40,10,60` (platform, builders, deployments)
 * is the long run, with toolchains that have to be fetched; `VEREN_KILLS_SEED` repeats one. One line tells what was found.
 */
const long = process.env.VEREN_KILLS?.split(',').map(Number);
const [platformKills = 6, builderKills = 2, deployments = 10] = long ?? [];
const seed = Number(process.env.VEREN_KILLS_SEED ?? (long ? Date.now() % 1_000_000 : 7));

test(
  'after every kill all that was accepted ends well, once, and nothing is left behind',
  async () => {
    const { path, remove } = await temporaryFolder();
    const { details, ...found } = await killRun({
      folder: path,
      deployments,
      platformKills,
      builderKills,
      seed,
      toolchains: long !== undefined,
      deadlineMs: long ? 900_000 : 240_000,
    });
    writeSync(1, `kills (seed ${seed}): ${JSON.stringify(found)}\n`);
    expect({ ...found, details }).toEqual({
      platformKills,
      builderKills: found.builderKills,
      succeeded: deployments,
      lost: 0,
      doubled: 0,
      stuck: 0,
      retriesExhausted: 0,
      processesLeft: 0,
      foldersLeft: 0,
      toolchainsLeft: 0,
      details: [],
    });
    await remove();
  },
  long ? 5_400_000 : 600_000,
);

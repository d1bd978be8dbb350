import { setTimeout as sleep } from 'node:timers/promises';
import { rootAuthorization } from './emulatorStacks.ts';

const [LOOK_MS, LONGEST_MS] = [1_000, 5 * 60_000];

/**
 * Waits for what CloudFormation waits for and the emulator does not: brokers and Redis, whose containers start after their
 * resources are complete.
 */
export async function settleEngines({ emulator, region }: { emulator: string; region: string }): Promise<void> {
  const kafka = () =>
    fetch(`${emulator}/v1/clusters`, { headers: { Authorization: rootAuthorization('kafka', region) } });
  const redis = () =>
    fetch(emulator, {
      method: 'POST',
      headers: { Authorization: rootAuthorization('elasticache', region) },
      body: new URLSearchParams({ Action: 'DescribeReplicationGroups', Version: '2015-02-02' }),
    });
  for (const until = Date.now() + LONGEST_MS; ; ) {
    const answers = await Promise.all([kafka(), redis()].map(async (it) => (await it).text()));
    if (!answers.some((text) => /"state":"CREATING"|<Status>creating<\/Status>/.test(text))) return;
    if (Date.now() > until) throw new Error('Brokers or Redis are still being made');
    await sleep(LOOK_MS);
  }
}

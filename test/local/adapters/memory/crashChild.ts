import { openMemoryPlatform } from '../../../../local/adapters/memory/platform.ts';

/** Works on the platform of the folder in argv until it is killed, and tells the parent what was acknowledged. */
async function main() {
  const platform = await openMemoryPlatform({ dataDir: process.argv[2]!, clock: { now: Date.now } });
  const round = process.argv[3]!;
  for (let i = 0; ; i++) {
    const name = `${round}-${i}`;
    const at = new Date().toISOString();
    await Promise.all([
      platform.queue.enqueue('build', { id: name, data: 'x'.repeat(300), owner: 'ann', projectId: 'shop' }),
      platform.bus.publish('deployment-events', [{ key: 'd', value: name }]),
      platform.logs.append(`log-${round}`, [
        { target: 'frontend', attempt: 1, n: i, at, stream: 'stdout', line: `line ${i}` },
      ]),
    ]);
    process.send?.(i);
  }
}

void main();

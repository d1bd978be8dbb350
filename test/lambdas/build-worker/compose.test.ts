import {
  type BuildWorkerPorts,
  type BuildWorkerSettings,
  composeBuildWorker,
} from '../../../lambdas/build-worker/compose.ts';
import type { ClaimedJob } from '../../../lambdas/shared/ports.ts';

test('a fault of one queue is told when the work on the other has ended: Lambda freezes who answers earlier', async () => {
  let nothingLeft: (job: ClaimedJob | null) => void = () => undefined;
  const claim = (queue: string) =>
    queue === 'promote'
      ? new Promise<ClaimedJob | null>((resolve) => {
          nothingLeft = resolve;
        })
      : Promise.reject(new Error('the queue of builds is away'));
  const ports = { queue: { claim } } as unknown as BuildWorkerPorts;
  const settings = { platform: { bucket: 'b', region: 'r' }, s3Endpoint: undefined } as BuildWorkerSettings;
  let answered = false;
  const run = composeBuildWorker(ports, settings)().finally(() => {
    answered = true;
  });
  run.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(answered).toBe(false);
  nothingLeft(null);
  await expect(run).rejects.toThrow('the queue of builds is away');
});

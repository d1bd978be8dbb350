import type { Subscriptions } from '../../lambdas/shared/ports.ts';
import { callerNamed } from '../support/callers.ts';
import { overStorages } from './storages.ts';

const ann = callerNamed('ann lee', { scope: 'deploy', projects: ['shop', 'blog'], tokenId: 'ab' });
const bob = callerNamed('bob');

overStorages('Subscriptions', (open) => {
  let subscriptions: Subscriptions;
  beforeEach(async () => {
    ({ subscriptions } = await open());
    await subscriptions.connect('c1', ann);
    await subscriptions.connect('c2', bob);
  });
  const listening = async (...subjects: Parameters<Subscriptions['subscribers']>[0]) =>
    (await subscriptions.subscribers(subjects)).sort();

  test('a connection has the owner it was made with, until it is gone', async () => {
    expect(await subscriptions.callerOf('c1')).toEqual(ann);
    expect(await subscriptions.callerOf('c3')).toBeNull();
    await subscriptions.disconnect('c1');
    expect(await subscriptions.callerOf('c1')).toBeNull();
  });

  test('subscribers of any of the subjects, each once', async () => {
    await subscriptions.subscribe('c1', 'deployment:d1');
    await subscriptions.subscribe('c1', 'deployment:d1');
    await subscriptions.subscribe('c1', 'project:shop');
    await subscriptions.subscribe('c2', 'project:shop');
    expect(await listening('deployment:d1')).toEqual(['c1']);
    expect(await listening('deployment:d1', 'project:shop')).toEqual(['c1', 'c2']);
    expect(await listening('project:d1', 'deployment:shop')).toEqual([]);
    expect(await listening()).toEqual([]);
  });

  test('who is gone listens to nothing, and cannot subscribe', async () => {
    await subscriptions.subscribe('c1', 'deployment:d1');
    await subscriptions.subscribe('c1', 'project:shop');
    await subscriptions.subscribe('c2', 'project:shop');
    await subscriptions.disconnect('c1');
    await subscriptions.disconnect('c1');
    await subscriptions.subscribe('c1', 'deployment:d1');
    await subscriptions.subscribe('never', 'deployment:d1');
    expect(await listening('deployment:d1', 'project:shop')).toEqual(['c2']);
    await subscriptions.connect('c1', ann);
    expect(await listening('deployment:d1', 'project:shop')).toEqual(['c2']);
  });
});

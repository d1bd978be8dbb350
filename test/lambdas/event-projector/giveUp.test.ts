import { s3Keys, TOPICS } from '../../../contract/names.ts';
import { composeProjector } from '../../../lambdas/event-projector/compose.ts';
import { GIVE_UP } from '../../../lambdas/event-projector/giveUp.ts';
import type { DeploymentStore } from '../../../lambdas/shared/ports.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { silentLog } from '../../support/log.ts';
import { memoryS3 } from '../../support/memoryS3.ts';
import { mskRecord, SIGNING } from '../../support/signing.ts';

/**
 * An event source without provisioned pollers: it knows success and failure of a whole batch, and delivers a failed one again
 * until it succeeds. Source: Lambda developer guide, "Configuring error handling controls for Kafka event sources".
 */
async function source() {
  const clock = fakeClock();
  const at = new Date(clock.now()).toISOString();
  const of = (deploymentId: string) => ({ v: 1 as const, deploymentId, projectId: 'site' });
  const requested = (id: string) => ({
    ...of(id),
    ...{ type: 'deployment.requested' as const, id: `${id}-requested`, at },
    ...{ owner: 'ada', gitUrl: 'https://git.example/a.git', ref: null },
  });
  const ports = await openMemoryPlatform({ clock });
  const s3 = memoryS3();
  const faults = { poison: new Set<string>(), outage: false };
  const fails = (id: string) => faults.outage || faults.poison.has(id);
  const store: DeploymentStore = {
    ...ports.store,
    get: (id) => (faults.outage ? Promise.reject(new Error('Redis is away')) : ports.store.get(id)),
    fold: (id, events) =>
      fails(id) ? Promise.reject(new Error('this one always fails')) : ports.store.fold(id, events),
  };
  const measured: string[] = [];
  const project = composeProjector(
    {
      ...ports,
      ...{ store, clock, s3, log: silentLog, signing: async () => SIGNING },
      ecs: { send: async () => ({}) } as never,
      measure: (values) => void measured.push(...Object.keys(values)),
    },
    { place: { bucket: 'b' }, redelivery: 'batch' },
  );
  let offset = 100;
  const events = (...ids: string[]) =>
    ids.map((id) => ({ ...mskRecord(TOPICS.events, requested(id)), offset: offset++ }));
  const deliver = (batch: ReturnType<typeof events>) => project({ records: { p: batch } });
  const state = async (id: string) => (await ports.store.get(id))?.record.status;
  const parked = () =>
    [...s3.objects.keys()].filter((key) => key.startsWith('__parked/') && !key.endsWith('failing.json'));
  return { clock, faults, events, deliver, state, parked, measured, s3 };
}

const GIVEN_BACK = /a batch of events could not be projected/;

it('an answer would count as success: a failed batch throws, and all of it succeeds when it comes again', async () => {
  const { faults, events, deliver, state } = await source();
  const batch = events('01a', '01b');
  faults.poison.add('01b');
  await expect(deliver(batch)).rejects.toThrow(GIVEN_BACK);
  expect([await state('01a'), await state('01b')]).toEqual(['queued', undefined]);
  faults.poison.clear();
  await expect(deliver(batch)).resolves.toEqual({ batchItemFailures: [] });
  expect(await state('01b')).toBe('queued');
});

it('a message that always fails is parked, and its partition goes on', async () => {
  const { clock, faults, events, deliver, state, parked, measured, s3 } = await source();
  const batch = events('01a', '01b', '01c');
  faults.poison.add('01b');
  let tries = 0;
  for (;;) {
    tries += 1;
    if (
      await deliver(batch).then(
        () => true,
        () => false,
      )
    )
      break;
    expect(parked()).toEqual([]);
    clock.advance(120_000);
    expect(tries).toBeLessThan(50);
  }
  expect(tries).toBe(GIVE_UP.tries + 1);
  expect(parked()).toEqual([s3Keys.parked(TOPICS.events, 0, 101)]);
  expect(JSON.parse(s3.objects.get(parked()[0]!)!)).toMatchObject({
    reason: 'it fails always: this one always fails',
    value: expect.stringContaining('01b-requested'),
  });
  expect(measured).toContain('ParkedMessages');
  expect([await state('01a'), await state('01b'), await state('01c')]).toEqual(['queued', undefined, 'queued']);
});

it('of a run of one deployment the messages that succeed by themselves are kept', async () => {
  const { clock, faults, events, deliver, parked, state } = await source();
  const batch = events('01a', '01a');
  faults.poison.add('01a');
  for (let n = 0; n < GIVE_UP.tries; n++) {
    await expect(deliver(batch)).rejects.toThrow(GIVEN_BACK);
    clock.advance(GIVE_UP.afterMs / GIVE_UP.tries);
  }
  faults.poison.clear();
  await deliver(batch);
  expect(parked()).toEqual([]);
  expect(await state('01a')).toBe('queued');
});

it('many quick tries are no reason: a short outage may have as many', async () => {
  const { clock, faults, events, deliver, parked } = await source();
  const batch = events('01a');
  faults.poison.add('01a');
  for (let n = 0; n < 3 * GIVE_UP.tries; n++) {
    await expect(deliver(batch)).rejects.toThrow(GIVEN_BACK);
    clock.advance(1_000);
  }
  expect(parked()).toEqual([]);
});

it('an outage of Redis parks nothing, however long it lasts', async () => {
  const { clock, faults, events, deliver, parked, state } = await source();
  const batch = events('01a', '01b');
  faults.outage = true;
  for (let n = 0; n < 3 * GIVE_UP.tries; n++) {
    await expect(deliver(batch)).rejects.toThrow(GIVEN_BACK);
    clock.advance(600_000);
  }
  expect(parked()).toEqual([]);
  faults.outage = false;
  await deliver(batch);
  expect([await state('01a'), await state('01b')]).toEqual(['queued', 'queued']);
});

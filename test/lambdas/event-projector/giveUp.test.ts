import { TOPICS } from '../../../contract/names.ts';
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
  const faults = { poison: new Set<string>(), hanging: new Set<string>(), outage: false, full: false };
  const fails = (id: string) => faults.outage || faults.poison.has(id);
  const store: DeploymentStore = {
    ...ports.store,
    get: (id) => (faults.outage ? Promise.reject(new Error('Redis is away')) : ports.store.get(id)),
    probe: () => (faults.outage || faults.full ? Promise.reject(new Error('OOM')) : ports.store.probe()),
    fold: (id, events) =>
      faults.hanging.has(id)
        ? new Promise(() => undefined)
        : fails(id) || faults.full
          ? Promise.reject(new Error('this one always fails'))
          : ports.store.fold(id, events),
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
    ids.map((id) => ({ ...mskRecord(TOPICS.events, requested(id)), offset: offset++, timestamp: clock.now() }));
  const loseLog = () => {
    offset = 100;
  };
  const deliver = (batch: ReturnType<typeof events>) => project({ records: { p: batch } });
  const state = async (id: string) => (await ports.store.get(id))?.record.status;
  const parked = () =>
    [...s3.objects.keys()].filter((key) => key.startsWith('__parked/') && !key.endsWith('failing.json'));
  const isDone = (batch: ReturnType<typeof events>) =>
    deliver(batch).then(
      () => true,
      () => false,
    );
  /** How often a batch is delivered until it is done, every two minutes. */
  const deliverUntilDone = async (batch: ReturnType<typeof events>) => {
    for (let deliveries = 1; deliveries < 100; deliveries++) {
      if (await isDone(batch)) return deliveries;
      clock.advance(120_000);
    }
    throw new Error('it never succeeds');
  };
  return { clock, faults, events, deliver, deliverUntilDone, loseLog, state, parked, measured, s3 };
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
  const { faults, events, deliverUntilDone, state, parked, measured, s3 } = await source();
  const batch = events('01a', '01b', '01c');
  faults.poison.add('01b');
  expect(await deliverUntilDone(batch)).toBe(GIVE_UP.tries + 1);
  expect(parked()).toEqual([expect.stringMatching(/^__parked\/deployment-events\/0\/101-\w{16}\.json$/)]);
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

it('two messages of one batch that always fail are both given up, and the second time they are passed at once', async () => {
  const { faults, events, deliver, deliverUntilDone, state, parked } = await source();
  const batch = events('01a', '01b', '01c', '01d', '01e');
  for (const id of ['01b', '01d']) faults.poison.add(id);
  expect(await deliverUntilDone(batch)).toBe(2 * GIVE_UP.tries + 1);
  expect(parked()).toHaveLength(2);
  expect(await state('01e')).toBe('queued');
  await deliver(batch);
  expect(parked()).toHaveLength(2);
});

it('a new log whose offsets begin anew is a new count, and keeps what was parked of the old one', async () => {
  const { clock, faults, events, deliverUntilDone, loseLog, parked } = await source();
  for (const id of ['01a', '01b']) faults.poison.add(id);
  await deliverUntilDone(events('01a'));
  for (const wait of [0, 30 * 24 * 3_600_000]) {
    clock.advance(wait);
    loseLog();
    expect(await deliverUntilDone(events(wait ? '01a' : '01b'))).toBe(GIVE_UP.tries + 1);
  }
  expect(parked()).toHaveLength(2);
});

it('a count of the earlier form does not stand in the way', async () => {
  const { faults, events, deliverUntilDone, parked, s3 } = await source();
  s3.objects.set('__parked/deployment-events/0/failing.json', JSON.stringify({ offset: 100, tries: 50, since: 1 }));
  faults.poison.add('01a');
  expect(await deliverUntilDone(events('01a'))).toBe(GIVE_UP.tries + 1);
  expect(parked()).toHaveLength(1);
});

it('a message in which the function is ended for its time is given up too', async () => {
  const { clock, faults, events, deliver, state, parked } = await source();
  const batch = events('01a', '01b', '01c');
  faults.hanging.add('01b');
  for (let deliveries = 1; ; deliveries++) {
    expect(deliveries).toBeLessThan(50);
    // The function ends without a word, and nothing of this delivery goes on.
    if ((await Promise.race([deliver(batch), new Promise((resolve) => setTimeout(resolve, 50, 'ended'))])) !== 'ended')
      break;
    clock.advance(120_000);
  }
  expect(parked()).toEqual([expect.stringContaining('/101-')]);
  expect([await state('01a'), await state('01c')]).toEqual(['queued', 'queued']);
});

it('a Redis that is full parks nothing, though it can be read', async () => {
  const { clock, faults, events, deliver, parked, state } = await source();
  const batch = events('01a', '01b');
  faults.full = true;
  for (let n = 0; n < 3 * GIVE_UP.tries; n++) {
    await expect(deliver(batch)).rejects.toThrow(GIVEN_BACK);
    clock.advance(600_000);
  }
  expect(parked()).toEqual([]);
  faults.full = false;
  await deliver(batch);
  expect([await state('01a'), await state('01b')]).toEqual(['queued', 'queued']);
});

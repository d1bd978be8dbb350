import type { Tickets } from '../../lambdas/shared/ports.ts';
import { callerNamed } from '../support/callers.ts';
import type { FakeClock } from '../support/fakeClock.ts';
import { overStorages } from './storages.ts';

const ann = callerNamed('ann lee', { scope: 'deploy', projects: ['shop', 'blog'], tokenId: 'ab' });
const bob = callerNamed('bob');

overStorages('Tickets', (open) => {
  let tickets: Tickets;
  let clock: FakeClock;
  beforeEach(async () => {
    ({ tickets, clock } = await open());
  });

  test('a ticket is good once, for the caller that asked for it', async () => {
    const { ticket, expiresAt } = await tickets.issue(ann);
    const other = await tickets.issue(bob);
    expect(ticket).toMatch(/^[\w-]{32}$/);
    expect(other.ticket).not.toBe(ticket);
    expect(expiresAt).toBeGreaterThan(clock.now());
    expect(await tickets.redeem(ticket)).toEqual(ann);
    expect(await tickets.redeem(ticket)).toBeNull();
    expect(await tickets.redeem(other.ticket)).toEqual(bob);
  });

  test('of many who come at once with the same ticket one gets in', async () => {
    const { ticket } = await tickets.issue(ann);
    const got = await Promise.all(Array.from({ length: 8 }, () => tickets.redeem(ticket)));
    expect(got.filter((caller) => caller !== null)).toEqual([ann]);
  });

  test('a ticket dies by itself, and what was never a ticket is none', async () => {
    const { ticket, expiresAt } = await tickets.issue(ann);
    clock.advance(expiresAt - clock.now());
    expect(await tickets.redeem(ticket)).toBeNull();
    for (const nonsense of ['', '__proto__', ticket.slice(1), 'ü'.repeat(10_000)])
      expect(await tickets.redeem(nonsense)).toBeNull();
  });
});

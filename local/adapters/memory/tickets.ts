import type { Caller } from '../../../contract/people.ts';
import type { Clock, Tickets } from '../../../lambdas/shared/ports.ts';
import { newTicket, TICKET_LIFETIME_MS, ticketKey } from '../../../lambdas/shared/tickets.ts';

/** The most unused tickets; a further one replaces the oldest. */
const MAX_WAITING = 10_000;

/** Tickets of this process. Not in the journal, since they expire sooner than a restart is done. */
export function memoryTickets(clock: Clock): Tickets {
  const waiting = new Map<string, { caller: Caller; expiresAt: number }>();
  return {
    async issue(caller) {
      const ticket = newTicket();
      const expiresAt = clock.now() + TICKET_LIFETIME_MS;
      for (const [key, { expiresAt: end }] of waiting) {
        if (end > clock.now() && waiting.size < MAX_WAITING) break;
        waiting.delete(key);
      }
      waiting.set(ticketKey(ticket), { caller, expiresAt });
      return { ticket, expiresAt };
    },
    async redeem(ticket) {
      const key = ticketKey(ticket);
      const known = waiting.get(key);
      waiting.delete(key);
      return known && known.expiresAt > clock.now() ? known.caller : null;
    },
  };
}

import type { Redis } from 'ioredis';
import type { Tickets } from '../../ports.ts';
import { newTicket, TICKET_LIFETIME_MS, ticketKey } from '../../tickets.ts';
import { withRedisRetry } from './available.ts';
import { parseCaller } from './caller.ts';
import type { RedisPortOptions } from './options.ts';

/**
 * `{tickets}:{hash}` → end and caller (JSON), for a minute. With GETDEL a ticket opens one connection only, also when two are
 * opened at once.
 */
export function redisTickets(redis: Redis, { prefix, clock = { now: Date.now } }: RedisPortOptions): Tickets {
  const keyOf = (ticket: string) => `${prefix}:{tickets}:${ticketKey(ticket)}`;
  return {
    async issue(caller) {
      const ticket = newTicket();
      const expiresAt = clock.now() + TICKET_LIFETIME_MS;
      await withRedisRetry(() =>
        redis.set(keyOf(ticket), `${expiresAt} ${JSON.stringify(caller)}`, 'PX', TICKET_LIFETIME_MS),
      );
      return { ticket, expiresAt };
    },
    async redeem(ticket) {
      const [, end, text = ''] =
        /^(\d+) ([\s\S]+)$/.exec((await withRedisRetry(() => redis.getdel(keyOf(ticket)))) ?? '') ?? [];
      return Number(end) > clock.now() ? parseCaller(text) : null;
    },
  };
}

import type { Context } from 'hono';
import { CLIENT_HEADER, CLIENTS } from '../../contract/clients.ts';
import type { AskedBy } from '../../contract/record.ts';
import type { ApiEnv } from '../shared/http/guard.ts';

/** Whose token a request came with, and the program of ours that has sent it; of other programs nothing is said. */
export function askedBy(c: Context<ApiEnv>): AskedBy {
  const { name, member } = c.get('caller');
  const client = CLIENTS.find((known) => known === c.req.header(CLIENT_HEADER));
  return { token: name, ...(member !== undefined && { member }), ...(client && { client }) };
}

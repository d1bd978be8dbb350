import { createHash, randomBytes } from 'node:crypto';

/** Long enough to open a connection with, too short to be worth reading out of a log. */
export const TICKET_LIFETIME_MS = 60_000;

export const newTicket = (): string => randomBytes(24).toString('base64url');

/** What is kept of a ticket: whoever reads the store cannot connect with it. */
export const ticketKey = (ticket: string): string => createHash('sha256').update(ticket).digest('hex');

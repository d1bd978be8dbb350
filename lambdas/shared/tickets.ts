import { createHash, randomBytes } from 'node:crypto';

/** Long enough to open a connection, and too short for somebody who finds the ticket in a log. */
export const TICKET_LIFETIME_MS = 60_000;

export const newTicket = (): string => randomBytes(24).toString('base64url');

/** The stored form of a ticket, with which nobody can connect who reads the store. */
export const ticketKey = (ticket: string): string => createHash('sha256').update(ticket).digest('hex');

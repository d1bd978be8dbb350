/** Names the program of ours that sends a request; the record of a deployment shows it. Proves nothing. */
export const CLIENT_HEADER = 'veren-client';
export const CLIENTS = ['dashboard', 'command'] as const;
export type Client = (typeof CLIENTS)[number];

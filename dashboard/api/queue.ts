import type { z } from 'zod';
import type { QueueSchema } from '../../contract/queue.ts';
import { callApi } from './callApi.ts';

export type Queue = z.infer<typeof QueueSchema>;

/** What waits and runs of the owner's projects. */
export const getQueue = (signal?: AbortSignal) => callApi<Queue>('GET', '/queue', signal ? { signal } : {});

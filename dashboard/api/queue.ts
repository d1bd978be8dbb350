import type { Queue } from '../../contract/queue.ts';
import { callApi } from './callApi.ts';

/** What waits and runs of the owner's projects. */
export const getQueue = (signal?: AbortSignal) => callApi<Queue>('GET', '/queue', signal ? { signal } : {});

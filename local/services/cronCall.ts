import { request } from 'node:http';
import { CRON_HEADER } from '../../contract/services.ts';
import type { Lease } from './localServices.ts';

/** Asks a backend by schedule. Resolves with its status when the answer is over; rejects where there is none in time. */
export function callPath(
  { host, port, timeoutMs }: Pick<Lease, 'host' | 'port' | 'timeoutMs'>,
  path: string,
  schedule: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host: `127.0.0.1:${port}`, 'user-agent': 'veren-cron', [CRON_HEADER]: schedule };
    let answered = false;
    const asked = request({ host, port, path, headers, agent: false }, (answer) => {
      answered = true;
      answer.resume();
      answer.once('close', () => resolve(answer.statusCode ?? 0));
    });
    const late = setTimeout(() => asked.destroy(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs);
    asked.once('upgrade', (_, socket) => socket.destroy());
    asked.on('error', reject);
    asked.once('close', () => {
      clearTimeout(late);
      if (!answered) reject(new Error('it ended the connection without an answer'));
    });
    asked.end();
  });
}

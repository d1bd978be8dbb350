import http from 'node:http';
import https from 'node:https';
import { pipeline, type Writable } from 'node:stream';

const TIMEOUT_MS = 30_000;

/**
 * Reads the pack of an uploaded folder and hands it to the program that checks it out, which runs as the build's user:
 * nothing of it is written by root. @returns why it could not be read; null where it was
 */
export function sendPack(url: string, to: Writable): Promise<string | null> {
  const { request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve) => {
    const fail = (reason: string) => {
      to.destroy();
      resolve(reason);
    };
    const sent = request(url, { timeout: TIMEOUT_MS }, (answer) => {
      if (answer.statusCode !== 200) {
        answer.resume();
        return fail(`the storage answered ${answer.statusCode}`);
      }
      pipeline(answer, to, (error) => resolve(error ? error.message : null));
    });
    sent.on('timeout', () => sent.destroy(new Error('the storage does not answer')));
    sent.on('error', (error) => fail((error as NodeJS.ErrnoException).code ?? error.message));
    sent.end();
  });
}

import { request as openRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** A request with a Host header that is not the address's, which `fetch` does not send. */
export async function requestWithHost(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = openRequest(url, { method, headers }, (answer) => {
      const values = Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(', ')]);
      buffer(answer).then(
        (body) => resolve({ status: answer.statusCode ?? 502, headers: Object.fromEntries(values), body }),
        reject,
      );
    });
    asked.once('error', reject).end();
  });
}

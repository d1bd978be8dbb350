import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sdkObjects } from '../../builder-images/shared/sdk-objects.ts';

describe('an S3 that takes connections and never answers', () => {
  const dir = mkdtempSync(join(tmpdir(), 'veren-silent-'));
  const file = join(dir, 'archive.tar');
  let server: Server;
  let requests = 0;
  beforeAll(async () => {
    writeFileSync(file, Buffer.alloc(100_000));
    server = createServer((request) => {
      requests++;
      request.resume();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  });

  test('does not hold a task up: each attempt ends after the silence', async () => {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const keys = { accessKeyId: 'key', secretAccessKey: 'secret', sessionToken: undefined };
    const objects = sdkObjects({ bucket: 'bucket', region: 'eu-central-1', endpoint, ...keys }, 100);
    const put = objects.put('a', { file, size: 100_000 }, { contentType: 'application/x-tar', sha256: '00' });
    await expect(put).rejects.toThrow('100 ms of inactivity');
    expect(requests).toBe(4);
  });
});

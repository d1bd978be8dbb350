import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import { makeRepo } from '../support/gitServer.ts';
import { startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

const LIMITS = { VEREN_LIMITS: '{"deploymentsPerHour": 3, "builds": 1}' };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let veren: Veren;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepo(join(folder.path, 'repo'), { 'index.html': '<p>hi' });
  veren = await startVeren(join(folder.path, 'data'), LIMITS);
}, 300_000);
afterAll(async () => {
  expect(await veren.stop()).toBe(0);
  await folder.remove();
}, 180_000);

/** Calls the API with a token, by default the one of the token file. */
async function call(method: string, path: string, body?: unknown, token = veren.token) {
  const response = await fetch(`${veren.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON it is, the test looks into it
  const json: any = /^application\/(problem\+)?json/.test(type) ? JSON.parse(text || 'null') : text;
  return { status: response.status, headers: response.headers, body: json };
}

/** What a WebSocket answers to a subscription. */
async function subscribeBy(query: string, message: object, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${veren.url.replace('http', 'ws')}/ws${query}`, { headers });
  const answer = new Promise<{ type: string; code?: string }>((done, failed) => {
    socket.on('open', () => socket.send(JSON.stringify({ action: 'subscribe', ...message })));
    socket.on('message', (data) => done(JSON.parse(String(data))));
    socket.on('error', failed);
  });
  return answer.finally(() => socket.terminate());
}

test('a token for one project is made, used, refused elsewhere and revoked; the token file goes on; the audit list has it all', async () => {
  const gitUrl = pathToFileURL(join(folder.path, 'repo')).href;
  const deployment = (projectId: string) => ({ projectId, gitUrl, backend: false });
  const blog = await call('POST', '/deployments', deployment('blog'));
  expect(blog.status).toBe(202);

  await call('PUT', '/members/eve@example.org', { role: 'developer' });
  const of = { scope: 'admin', member: 'eve@example.org', projects: ['shop'], expiresInDays: 30 };
  const made = await call('POST', '/tokens', { name: 'CI of shop', ...of });
  expect(made.status).toBe(201);
  const { token, id } = made.body as { token: string; id: string };

  // What it is good for.
  const shop = await call('POST', '/deployments', deployment('shop'), token);
  expect(shop.status).toBe(202);
  const shopId = shop.body.deploymentId as string;
  expect((await veren.finished(shopId)).status).toBe('succeeded');
  expect((await call('GET', `/deployments/${shopId}/logs`, undefined, token)).status).toBe(200);
  const listed = await call('GET', '/deployments', undefined, token);
  expect(listed.body.items.map((d: { projectId: string }) => d.projectId)).toEqual(['shop']);

  // What it is not good for.
  const blogId = blog.body.deploymentId as string;
  const refused = async (method: string, path: string, body?: unknown) => {
    const answer = await call(method, path, body, token);
    return [answer.status, answer.body.code];
  };
  const notFound = [404, 'NOT_FOUND'];
  for (const path of [
    `/deployments/${blogId}`,
    `/deployments/${blogId}/logs`,
    `/deployments/${blogId}/logs?follow=true`,
  ])
    expect([path, await refused('GET', path)]).toEqual([path, notFound]);
  expect(await refused('POST', `/deployments/${blogId}/redeploy`)).toEqual(notFound);
  expect(await refused('POST', '/deployments', deployment('blog'))).toEqual(notFound);
  expect(await refused('POST', '/deployments', deployment('other'))).toEqual(notFound);
  expect(await refused('DELETE', '/projects/blog/cache')).toEqual(notFound);
  // The scope of the token is admin, and the member is a developer.
  expect(await refused('POST', '/tokens', { name: 'more', scope: 'admin' })).toEqual([403, 'FORBIDDEN']);
  expect(await refused('GET', '/audit')).toEqual([403, 'FORBIDDEN']);
  const { ticket } = (await call('POST', '/tickets', undefined, token)).body;
  expect(await subscribeBy(`?ticket=${ticket}`, { deploymentId: blogId })).toMatchObject({ code: 'NOT_FOUND' });
  const bearer = { Authorization: `Bearer ${token}` };
  expect(await subscribeBy('', { projectId: 'blog' }, bearer)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await subscribeBy('', { projectId: 'shop' }, bearer)).toMatchObject({ type: 'snapshot' });

  // The limits that the laptop was told.
  expect((await call('POST', '/deployments', deployment('blog'))).status).toBe(202);
  const fourth = await call('POST', '/deployments', deployment('blog'));
  expect([fourth.status, fourth.body.code]).toEqual([429, 'RATE_LIMITED']);
  expect(Number(fourth.headers.get('retry-after'))).toBeGreaterThan(0);
  const usage = (await call('GET', '/usage')).body;
  expect(usage).toMatchObject({ deploymentsPerHour: { used: 3, limit: 3 }, builds: { limit: 1 }, tokens: { used: 1 } });
  expect(usage.storageBytes.used).toBeGreaterThan(0);

  // All of it is still there after a restart, and the token of the file is the same.
  const before = veren.token;
  expect(await veren.stop()).toBe(0);
  veren = await startVeren(join(folder.path, 'data'), LIMITS);
  expect(veren.token).toBe(before);
  expect((await call('GET', `/deployments/${shopId}`, undefined, token)).status).toBe(200);
  expect((await call('DELETE', `/tokens/${id}`)).status).toBe(204);
  expect((await call('GET', `/deployments/${shopId}`, undefined, token)).status).toBe(401);
  await expect(subscribeBy('', { projectId: 'shop' }, bearer)).rejects.toThrow('401');

  const audit = (await call('GET', '/audit?limit=100')).body;
  // The platform's own releases come when they come.
  const byPeople = audit.items.filter((e: Record<string, string>) => e.by !== 'veren');
  expect(byPeople.map((e: Record<string, string>) => [e.by, e.action, e.subject])).toEqual([
    ['laptop', 'token.revoke', 'CI of shop'],
    ['laptop', 'deployment.create', expect.any(String)],
    ['CI of shop', 'deployment.create', shopId],
    ['laptop', 'token.create', 'CI of shop'],
    ['laptop', 'member.add', 'eve@example.org'],
    ['laptop', 'deployment.create', blogId],
  ]);
  // The secret is nowhere on the disk, and neither in the audit list nor in the log.
  const secret = token.split('.').at(-1)!;
  expect(JSON.stringify(audit)).not.toContain(secret);
  expect(veren.logged.join('\n')).not.toContain(secret);
  const found = execFileSync('sh', ['-c', 'grep -rlF -- "$1" "$2" || true', 'sh', secret, join(folder.path, 'data')]);
  expect(found.toString()).toBe('');
}, 300_000);

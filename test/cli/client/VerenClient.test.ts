import { ProblemError, UnreachableError } from '../../../cli/client/errors.ts';
import { VerenClient } from '../../../cli/client/VerenClient.ts';
import { type ApiServer, apiServer, finishedDeployment } from './apiServer.ts';

const request = { projectId: 'site', gitUrl: 'https://git.example/a.git' };

let server: ApiServer;
beforeEach(async () => {
  server = await apiServer();
});
afterEach(() => server.close());

it('deploys once, although the answer was lost', async () => {
  server.cuts.push({ after: 10, how: 'destroy' });
  const { deploymentId } = await server.client.createDeployment(request);
  expect(server.requests.map((r) => r.method)).toEqual(['POST', 'POST']);
  const { items } = await server.client.listDeployments({ projectId: 'site' });
  expect(items.map((d) => d.deploymentId)).toEqual([deploymentId]);
});

it('gives the same deployment for the same key', async () => {
  const first = await server.client.createDeployment(request, 'key-1');
  expect(await server.client.createDeployment(request, 'key-1')).toEqual(first);
});

it('reads, pages, cancels', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.unshift((await server.client.createDeployment(request)).deploymentId);
  const first = await server.client.listDeployments({ limit: 2 });
  const second = await server.client.listDeployments({ limit: 2, cursor: first.cursor as string });
  expect([...first.items, ...second.items].map((d) => d.deploymentId)).toEqual(ids);
  expect(second.cursor).toBeUndefined();
  const done = await finishedDeployment(server, ['x']);
  expect((await server.client.getDeployment(done)).builds.frontend?.artifact).toMatchObject({
    url: 'http://p1.example',
  });
  await expect(server.client.cancel(done)).rejects.toMatchObject({ code: 'ALREADY_FINISHED', status: 409 });
});

it('tells every faulty field', async () => {
  const error = await server.client.createDeployment({ projectId: 'A', gitUrl: '' }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ProblemError);
  expect((error as Error).message).toMatch(/not valid.*\n {2}projectId: must be lower-case.*\n {2}gitUrl: /s);
});

it('does not send again what is not safe to send again', async () => {
  const { deploymentId } = await server.client.createDeployment(request);
  server.cuts.push({ after: 10, how: 'destroy' });
  await expect(server.client.redeploy(deploymentId)).rejects.toThrow(UnreachableError);
  expect(server.requests).toHaveLength(2);
});

it.each([
  ['something that is no problem', 500, 'oops', 'it answered with HTTP 500'],
  ['another program', 200, '{"hello":"world"}', 'unknown form'],
])('says what is wrong about an answer of %s', async (_, status, body, sentence) => {
  server.answer = (_request, response) => response.writeHead(status).end(body);
  await expect(server.client.getDeployment('x')).rejects.toThrow(sentence);
});

it('says why nothing answers', async () => {
  // Port 1 of loopback: nobody listens there.
  const client = new VerenClient({ baseUrl: 'http://127.0.0.1:1', token: 't' });
  await expect(client.analyze({ gitUrl: 'https://git.example/a' })).rejects.toThrow(
    'No answer from Veren at http://127.0.0.1:1: ',
  );
});

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { VerenClient } from '../../../cli/client/VerenClient.ts';
import { type ApiFixture, apiFixture, TOKENS } from '../../support/api.ts';
import { event, frontendPlan } from '../../support/events.ts';

export interface ApiServer {
  readonly api: ApiFixture;
  readonly client: VerenClient;
  readonly origin: string;
  /** What was asked, oldest first. */
  readonly requests: { method: string; path: string; headers: IncomingMessage['headers'] }[];
  /** How the coming answers are cut: after so many bytes the connection breaks, or ends as if all had been said. */
  readonly cuts: { after: number; how: 'destroy' | 'end' }[];
  /** Answers instead of the API. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  close(): Promise<void>;
}

/** The real API on a port of loopback, over a line that breaks where it is told to. */
export async function apiServer(): Promise<ApiServer> {
  const api = await apiFixture();
  const requests: ApiServer['requests'] = [];
  const cuts: ApiServer['cuts'] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    requests.push({ method, path: url, headers });
    if (self.answer) return self.answer(request, response);
    const sent = await text(request);
    const passedOn = Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        typeof value === 'string' && !name.startsWith('content-') ? [[name, value]] : [],
      ),
    );
    const answer = await api.call(method, url, sent || undefined, { as: null, headers: passedOn });
    const type = answer.headers.get('content-type') ?? '';
    const body = Buffer.from(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    response.writeHead(answer.status, { 'Content-Type': type });
    const cut = cuts.shift();
    if (!cut) return response.end(body);
    response.write(body.subarray(0, cut.after), () => {
      if (cut.how === 'end') response.end();
      // Later, so that what was written arrives.
      else setTimeout(() => response.destroy(), 5);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const self: ApiServer = {
    api,
    client: new VerenClient({ baseUrl: origin, token: TOKENS.ada }),
    origin,
    requests,
    cuts,
    answer: null,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await api.ports.close();
    },
  };
  return self;
}

/** A deployment of ada's that has come to its end with these log lines. */
export async function finishedDeployment({ api, client }: ApiServer, lines: readonly string[]): Promise<string> {
  const { deploymentId } = await client.createDeployment({ projectId: 'p1', gitUrl: 'https://git.example/a.git' });
  await api.ports.logs.append(
    deploymentId,
    lines.map((line, n) => ({
      at: '2026-01-01T00:00:00.000Z',
      target: 'frontend',
      stream: 'stdout',
      line,
      attempt: 1,
      n,
    })),
  );
  const build = { target: 'frontend', attempt: 1 } as const;
  const now = Date.now() / 1_000 - Date.UTC(2026, 0, 1) / 1_000;
  await api.ports.store.fold(deploymentId, [
    event(now + 1, { type: 'deployment.analyzed', plan: frontendPlan() }, deploymentId),
    event(now + 2, { type: 'build.started', ...build, taskArn: 'arn', nodeVersion: 24 }, deploymentId),
    event(now + 3, { type: 'build.phase', ...build, phase: 'install', state: 'started' }, deploymentId),
    event(now + 5.5, { type: 'build.phase', ...build, phase: 'install', state: 'finished', ok: true }, deploymentId),
    event(
      now + 6,
      {
        type: 'build.succeeded',
        ...build,
        artifact: { kind: 'static', bucket: 'b', prefix: '__outputs/p1/', files: 3, bytes: 1_234_567 },
        logLines: lines.length,
      },
      deploymentId,
    ),
  ]);
  return deploymentId;
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Endpoint, listenOnLoopback } from '../awsProtocol/listen.ts';
import { nameOf } from '../ecs/arns.ts';
import type { TaskStore } from '../ecs/taskStore.ts';
import { taskAnswer } from '../ecs/view.ts';
import { type EmulatedTask, overlayTask } from './overlay.ts';

export interface EcsProxyOptions {
  /** The emulator. */
  readonly upstream: string;
  readonly port: number;
  readonly store: TaskStore;
}

/** Hop by hop, or made anew by whoever sends. */
const NOT_PASSED_ON = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'expect']);

/**
 * A proxy between the deployed functions (their AWS_ENDPOINT_URL_ECS) and the emulator's ECS: it passes every call and
 * answer unchanged, except that DescribeTasks gets the real state of tasks that run here.
 */
export async function startEcsProxy({ upstream, port, store }: EcsProxyOptions): Promise<Endpoint> {
  async function forwardRequest(request: IncomingMessage) {
    const answer = await fetch(new URL(request.url ?? '/', upstream), {
      method: request.method ?? 'POST',
      headers: passedOn(request),
      body: await buffer(request),
    });
    const text = await answer.text();
    const isDescribe = String(request.headers['x-amz-target']).endsWith('.DescribeTasks');
    const type = answer.headers.get('content-type') ?? 'application/x-amz-json-1.1';
    return { status: answer.status, type, body: isDescribe && answer.ok ? withOwnState(text, store) : text };
  }
  const server = createServer((request, response) => {
    forwardRequest(request).then(
      ({ status, type, body }) => response.writeHead(status, { 'Content-Type': type }).end(body),
      (e: Error) =>
        response
          .writeHead(503, { 'Content-Type': 'application/x-amz-json-1.1' })
          .end(JSON.stringify({ __type: 'ServerException', message: `The emulator does not answer: ${e.message}` })),
    );
  });
  return listenOnLoopback(server, port);
}

function passedOn(request: IncomingMessage): [string, string][] {
  return Object.entries(request.headers).flatMap(([name, value]) =>
    NOT_PASSED_ON.has(name) || value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
}

function withOwnState(text: string, store: TaskStore): string {
  const answer = JSON.parse(text) as { tasks?: EmulatedTask[] };
  const tasks = answer.tasks?.map((task) => {
    const record = store.tasks.get(nameOf(task.taskArn ?? ''));
    return record ? overlayTask(task, taskAnswer(record, [])) : task;
  });
  return JSON.stringify({ ...answer, tasks });
}

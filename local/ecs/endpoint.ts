import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Clock } from '../../lambdas/shared/ports.ts';
import type { CredentialStore } from '../awsProtocol/credentials.ts';
import { type Endpoint, listenOnLoopback } from '../awsProtocol/listen.ts';
import { isAllowed } from '../awsProtocol/policy.ts';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import { readSignedBody } from '../awsProtocol/signedBody.ts';
import { Operations } from './operations.ts';
import { DescribeTasksRequest, ListTasksRequest, RunTaskRequest, StopTaskRequest } from './requests.ts';
import { Runner } from './runner.ts';
import type { TaskDefinition } from './taskDefinition.ts';
import { TaskStore } from './taskStore.ts';
import type { TaskStateChange } from './view.ts';

/**
 * A fault that a test gives to a call. `timeout-after-start`: the call is carried out and its answer is lost.
 * `failures`: an answer with HTTP 200 and no task, as ECS gives it without capacity.
 */
export type EcsFault =
  | 'error500'
  | 'throttle'
  | 'timeout-after-start'
  | { readonly failures: readonly { readonly arn?: string; readonly reason: string; readonly detail?: string }[] };

export interface EcsEndpointOptions {
  /** Tasks and their output are kept below `<dataDir>/ecs`. */
  readonly dataDir: string;
  readonly port?: number;
  readonly credentials: CredentialStore;
  readonly taskDefinitions: readonly TaskDefinition[];
  /**
   * Called with every change, in order for each task; those of tasks from before a restart while the endpoint starts.
   */
  readonly onTaskStateChange: (event: TaskStateChange) => unknown;
  readonly clock?: Clock;
  readonly onError?: (error: unknown) => void;
  /** For tests: asked at each call, with the number of calls of its operation so far (from 1). */
  readonly fault?: (operation: string, n: number) => EcsFault | undefined;
}

const TARGET = 'AmazonEC2ContainerServiceV20141113.';
const JSON_TYPE = 'application/x-amz-json-1.1';

/**
 * The part of ECS that runs builds, in its JSON 1.1 protocol: RunTask, StopTask, DescribeTasks, ListTasks. A task is the
 * entry point of its image, run as a process with the image's variables and the overrides, and nothing else.
 */
export async function startEcsEndpoint(options: EcsEndpointOptions): Promise<Endpoint> {
  const { clock = { now: Date.now }, onError = () => undefined, credentials } = options;
  const store = await TaskStore.open(join(options.dataDir, 'ecs'), clock, onError);
  const runner = new Runner({ store, clock, onError, onTaskStateChange: options.onTaskStateChange });
  await runner.recover();
  const api = new Operations({ taskDefinitions: options.taskDefinitions, store, runner, clock });
  const table = operationTable(api);
  const calls = new Map<string, number>();

  async function answerRequest(request: IncomingMessage): Promise<{ body: unknown; lost: boolean }> {
    const { body, principal } = await readSignedBody(request, { service: 'ecs', credentials, now: clock.now() });
    const target = String(request.headers['x-amz-target'] ?? '');
    const name = target.startsWith(TARGET) ? target.slice(TARGET.length) : '';
    const operation = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!operation) throw new ServiceError('UnknownOperationException', 400, `${name} is not known here.`);
    const input = parseJson(body);
    const resource = api.resourceOf(input as Parameters<typeof api.resourceOf>[0]);
    if (!isAllowed(principal.session?.policy, { action: `ecs:${name}`, resource }))
      throw new ServiceError(
        'AccessDeniedException',
        400,
        `User: ${principal.arn} is not authorized to perform: ecs:${name}`,
      );

    const n = (calls.get(name) ?? 0) + 1;
    calls.set(name, n);
    const fault = options.fault?.(name, n);
    if (fault === 'error500')
      throw new ServiceError('ServerException', 500, 'Service Unavailable. Please try again later.');
    if (fault === 'throttle') throw new ServiceError('ThrottlingException', 400, 'Rate exceeded');
    if (typeof fault === 'object') return { body: { tasks: [], failures: fault.failures }, lost: false };
    return { body: await operation(input), lost: fault === 'timeout-after-start' };
  }

  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    answerRequest(request).then(
      ({ body, lost }) => (lost ? request.socket.destroy() : send(response, 200, body)),
      (error) => {
        if (!(error instanceof ServiceError)) onError(error);
        const { code, status, message, members } = error instanceof ServiceError ? ecsError(error) : internalError();
        send(response, status, { __type: code, message, ...members });
      },
    );
  });
  const endpoint = await listenOnLoopback(server, options.port).catch(async (error) => {
    await runner.close();
    throw error;
  });
  return {
    ...endpoint,
    async close() {
      await endpoint.close();
      await runner.close();
    },
  };
}

function operationTable(api: Operations): Readonly<Record<string, (input: unknown) => Promise<unknown>>> {
  const defineOperation =
    <S extends z.ZodType>(schema: S, run: (input: z.output<S>) => Promise<unknown>) =>
    (input: unknown) => {
      const parsed = schema.safeParse(input);
      if (parsed.success) return run(parsed.data);
      const { path, message } = parsed.error.issues[0]!;
      throw new ServiceError('InvalidParameterException', 400, `${path.join('.')}: ${message}`);
    };
  return {
    RunTask: defineOperation(RunTaskRequest, (input) => api.runTask(input)),
    StopTask: defineOperation(StopTaskRequest, (input) => api.stopTask(input)),
    DescribeTasks: defineOperation(DescribeTasksRequest, (input) => api.describeTasks(input)),
    ListTasks: defineOperation(ListTasksRequest, (input) => api.listTasks(input)),
  };
}

function parseJson(body: Buffer): object {
  try {
    const value: unknown = JSON.parse(body.toString('utf8') || '{}');
    if (typeof value === 'object' && value !== null) return value;
  } catch {}
  throw new ServiceError('SerializationException', 400, 'The body is not a JSON object.');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': JSON_TYPE,
    'Content-Length': Buffer.byteLength(text),
    'x-amzn-RequestId': randomUUID(),
  });
  response.end(text);
}

const internalError = () => new ServiceError('ServerException', 500, 'An internal error occurred.');

/** The common faults by the names they have in JSON protocols. Source: ECS API reference, "Common errors". */
function ecsError(error: ServiceError): ServiceError {
  const names: Record<string, string> = {
    AccessDenied: 'MissingAuthenticationTokenException',
    AuthorizationHeaderMalformed: 'IncompleteSignatureException',
    InvalidAccessKeyId: 'UnrecognizedClientException',
    InvalidToken: 'UnrecognizedClientException',
    SignatureDoesNotMatch: 'InvalidSignatureException',
    RequestTimeTooSkewed: 'InvalidSignatureException',
    ExpiredToken: 'ExpiredTokenException',
  };
  const name = names[error.code];
  return name === undefined ? error : new ServiceError(name, 400, error.message);
}

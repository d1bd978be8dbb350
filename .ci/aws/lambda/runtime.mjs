/**
 * Stands in for Lambda's Node runtime and its interface emulator: POST /2015-03-31/functions/function/invocations is an
 * invocation, one at a time, answered with the handler's result or stream. AWS's names lead to the emulator here, so the
 * SDK needs no other endpoint than its own.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

delete process.env.AWS_ENDPOINT_URL;
const HANDLER = process.argv[2] ?? 'index.handler';
process.env._HANDLER = HANDLER;
const STREAMING = Symbol('streaming');
/** Between the first line of a streamed HTTP answer, its status and headers in JSON, and its body. */
const PRELUDE_END = Buffer.alloc(8);

globalThis.awslambda = {
  streamifyResponse: (handler) => Object.assign(handler, { [STREAMING]: true }),
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType('application/vnd.awslambda.http-integration-response');
      stream.write(JSON.stringify(prelude));
      stream.write(PRELUDE_END);
      return stream;
    },
  },
};

async function loadHandler() {
  const root = process.env.LAMBDA_TASK_ROOT ?? '/var/task';
  const [module, name] = HANDLER.split(/\.(?=[^.]+$)/);
  const file = ['.mjs', '.cjs', '.js'].map((end) => join(root, module + end)).find((path) => existsSync(path));
  if (!file) throw new Error(`Cannot find module '${module}'`);
  const loaded = file.endsWith('.mjs') ? await import(pathToFileURL(file)) : createRequire(file)(file);
  const handler = loaded[name] ?? loaded.default?.[name];
  if (typeof handler !== 'function') throw new Error(`${HANDLER} is not a function`);
  return handler;
}

function contextOf() {
  const ends = Date.now() + 900_000;
  const { AWS_LAMBDA_FUNCTION_NAME: name, AWS_REGION: region, AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memory } = process.env;
  return {
    awsRequestId: randomUUID(),
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${region}:${process.env.AWS_ACCOUNT_ID ?? '123456789012'}:function:${name}`,
    memoryLimitInMB: memory,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, ends - Date.now()),
  };
}

/** Tokens of our API come in another header, past the emulator, which would verify them: see .ci/aws/front.mjs. */
function withAuthorization(event) {
  const { 'x-carried-authorization': authorization, ...headers } = event?.headers ?? {};
  return authorization ? { ...event, headers: { ...headers, authorization } } : event;
}

/** The envelope by which an invoker sees that a handler threw. */
const faultOf = (error) => ({
  errorType: error?.name ?? 'Error',
  errorMessage: error?.message ?? String(error),
  trace: String(error?.stack ?? '').split('\n'),
});

/** Handlers of old take a callback; the others give a promise or a value. */
function callHandler(handler, event, context) {
  if (handler.length < 3) return Promise.resolve(handler(event, context));
  return new Promise((resolve, reject) => {
    const done = (error, value) => (error ? reject(error) : resolve(value));
    Promise.resolve(handler(event, context, done)).then((value) => value !== undefined && resolve(value), reject);
  });
}

async function answer(handler, event, response) {
  if (!handler[STREAMING]) {
    const value = await callHandler(handler, event, contextOf());
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value ?? null));
    return;
  }
  const stream = new Writable({
    write: (chunk, _encoding, done) => response.write(chunk, done),
    final: (done) => response.end(done),
  });
  stream.setContentType = (type) => response.setHeader('Content-Type', type);
  response.on('close', () => stream.destroy());
  await handler(event, stream, contextOf());
}

const loading = loadHandler();
loading.catch(() => {});
createServer(async (request, response) => {
  try {
    const event = withAuthorization(JSON.parse((await buffer(request)).toString() || 'null'));
    await answer(await loading, event, response);
  } catch (error) {
    console.error(error);
    if (response.headersSent) response.destroy();
    else response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(faultOf(error)));
  }
}).listen(8080);

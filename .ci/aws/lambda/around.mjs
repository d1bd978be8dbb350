/**
 * Stands in for what Lambda has around a service's image: its runtime and extensions APIs (Lambda developer guide, "Runtime
 * API", "Extensions API"), whose events come by POST /2015-03-31/functions/function/invocations, as with its interface
 * emulator. Starts the programs of /opt/extensions, as Lambda does, and the image's own command, and ends with it.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

const INVOKE_PORT = 8080;
const RUNTIME_API = '127.0.0.1:9001';
const { IMAGE_COMMAND: command, AWS_ENDPOINT_URL: _, ...given } = process.env;
const env = { ...given, AWS_LAMBDA_RUNTIME_API: RUNTIME_API, AWS_LAMBDA_FUNCTION_VERSION: given.AWS_LAMBDA_FUNCTION_VERSION ?? '1' };

/** Invocations that nobody has taken yet, and who waits for one. */
const events = [];
const takers = [];
const answers = new Map();

function take(response) {
  const { id, event } = events.shift();
  response
    .writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': String(Date.now() + 60_000),
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:${env.AWS_REGION}:123456789012:function:${env.AWS_LAMBDA_FUNCTION_NAME}`,
    })
    .end(event);
}

const runtimeApi = createServer(async (request, response) => {
  const [, id, end] = /\/invocation\/([^/]+)\/(response|error)$/.exec(request.url) ?? [];
  if (request.url.endsWith('/extension/register')) response.writeHead(200, { 'lambda-extension-identifier': randomUUID() }).end('{}');
  else if (request.url.endsWith('/extension/event/next')) return; // none ever comes
  else if (request.url.endsWith('/invocation/next')) {
    takers.push(response);
    if (events.length > 0) take(takers.shift());
  } else if (id !== undefined) {
    const invoked = answers.get(id);
    answers.delete(id);
    if (end === 'response') {
      invoked.writeHead(200, { 'content-type': 'application/octet-stream' });
      for await (const chunk of request) invoked.write(chunk);
      invoked.end();
    } else invoked.writeHead(200, { 'content-type': 'application/json' }).end(await buffer(request));
    response.writeHead(202).end();
  } else {
    console.error(request.url, String(await buffer(request)));
    response.writeHead(202).end();
  }
});

const invocations = createServer(async (request, response) => {
  const id = randomUUID();
  answers.set(id, response);
  events.push({ id, event: await buffer(request) });
  if (takers.length > 0) take(takers.shift());
});
const [host, port] = RUNTIME_API.split(':');
await new Promise((listens) => runtimeApi.listen(Number(port), host, listens));
invocations.listen(INVOKE_PORT);

/** What has ended ends the environment, and the next invocation gets a new one. */
const start = (program, args) =>
  spawn(program, args, { env, stdio: 'inherit' }).once('exit', (code) => process.exit(code || 1));
for (const name of readdirSync('/opt/extensions'))
  // With the libc that it was compiled for, which is this machine's and newer than the image's.
  start('/lambda/lib/ld-linux-x86-64.so.2', ['--library-path', '/lambda/lib', `/opt/extensions/${name}`]);
const [entry, args] = command.split('\n').map((part) => JSON.parse(part) ?? []);
const [program, ...rest] = [...entry, ...args];
start(program, rest);

/**
 * Writes down who calls what of AWS's APIs: one line of JSON for each call, without its content but for the names of what it
 * is about. Callers are known by their container, or by the session whose key they use.
 */
import { spawn, execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Fields of calls that name a resource. Nothing else of a call is kept: it may be secret. */
const NAMES = ['cluster', 'taskDefinition', 'task', 'tasks', 'repositoryName', 'logGroupName', 'logGroupIdentifier'];
const MOST_BYTES = 64 * 1024;
const LABELS = /^fakecloud-(lambda|ecs-task|codebuild)$/;

/** By address: `lambda:<function>`, `ecs-task:<id>`, `codebuild:<id>`. */
const containers = new Map();
async function addContainer(id) {
  const { stdout } = await run('/usr/bin/docker', ['inspect', id]);
  const [{ Config, NetworkSettings }] = JSON.parse(stdout);
  const label = Object.entries(Config.Labels ?? {}).find(([name]) => LABELS.test(name));
  if (!label) return;
  for (const { IPAddress } of Object.values(NetworkSettings.Networks))
    if (IPAddress) containers.set(IPAddress, `${label[0].replace('fakecloud-', '')}:${label[1]}`);
}

/** Principals by access key, from the answers of STS. */
const sessions = new Map();
function learnSession(text) {
  const keyId = /<AccessKeyId>([^<]+)/.exec(text)?.[1];
  const arn = /<AssumedRoleUser>[\s\S]*?<Arn>([^<]+)/.exec(text)?.[1];
  if (keyId && arn) sessions.set(keyId, arn);
}

function firstBytes(stream, done) {
  const chunks = [];
  let size = 0;
  stream.on('data', (chunk) => {
    if (size < MOST_BYTES) chunks.push(chunk);
    size += chunk.length;
  });
  stream.on('end', () => done(Buffer.concat(chunks).toString('utf8', 0, MOST_BYTES)));
}

/** Of a signature for one region, or for all of them. */
const credentialOf = ({ headers, url }) =>
  /Credential=([^/,\s]+)\/\d+\/(?:[^/]+\/)?([^/]+)\/aws4_request/.exec(
    headers.authorization ?? decodeURIComponent(/X-Amz-(Credential=[^&]+)/.exec(url)?.[1] ?? ''),
  );

/** @returns a function that notes a request and its answer; it has to be called before either is read to its end */
export function recordCalls(file) {
  const lines = createWriteStream(file, { flags: 'a' });
  const events = spawn('/usr/bin/docker', ['events', '--filter', 'event=start', '--format', '{{.ID}}'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  createInterface(events.stdout).on('line', (id) => addContainer(id).catch(() => {}));
  process.once('exit', () => events.kill());
  process.once('SIGTERM', () => process.exit(0));
  return (host, request, answer) => {
    const [, keyId, service] = credentialOf(request) ?? [];
    if (!service) return; // no call of an API
    const from = request.socket.remoteAddress?.replace('::ffff:', '');
    const target = request.headers['x-amz-target']?.split('.').at(-1);
    const type = request.headers['content-type'] ?? '';
    const note = (action, names) => {
      const caller = { container: containers.get(from), session: sessions.get(keyId), isRoot: keyId === 'test' };
      const [path, search] = request.url.split('?');
      const query = [...new URLSearchParams(search).keys()].filter((name) => !name.startsWith('X-Amz-'));
      const call = { service, action, method: request.method, path, query, names };
      lines.write(`${JSON.stringify({ host, ...caller, ...call, status: answer.statusCode })}\n`);
    };
    if (service === 'sts') firstBytes(answer, learnSession);
    if (target) return note(target, namesIn(request.firstText ?? ''));
    if (type.includes('form-urlencoded'))
      return note(new URLSearchParams(request.firstText ?? '').get('Action') ?? undefined, {});
    note(undefined, {});
  };
}

/** Keeps the beginning of a request's body, as `firstText`. */
export function keepBeginning(request) {
  if (request.headers['x-amz-target'] || /form-urlencoded/.test(request.headers['content-type'] ?? ''))
    firstBytes(request, (text) => {
      request.firstText = text;
    });
}

function namesIn(text) {
  try {
    const body = JSON.parse(text);
    return Object.fromEntries(NAMES.filter((name) => name in body).map((name) => [name, body[name]]));
  } catch {
    return {};
  }
}

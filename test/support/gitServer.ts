import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { dirname, join } from 'node:path';

/**
 * A real git host for tests: git's own `http-backend` CGI (smart HTTP, protocol v2, filters) behind a small HTTP server
 * on loopback. Nothing of git is imitated.
 */
export interface GitServer {
  /** Without a trailing slash; a repository made as `<dir>/app` is at `<url>/app`. */
  readonly url: string;
  /** One line per request: method and path with query. */
  readonly requests: string[];
  /** Bytes of response bodies and headers sent since the start. */
  bytesSent(): number;
  close(): Promise<void>;
}

export interface GitServerOptions {
  /** Folder with the repositories. */
  readonly repos: string;
  /** Asked for as the password of basic authentication, whatever the user name; absent: everybody may read. */
  readonly token?: string;
  /** False: the server refuses partial clone, as old hosts do. Default true. */
  readonly filter?: boolean;
  /** False: the server speaks protocol version 0 only. Default true. */
  readonly protocolV2?: boolean;
  /** False: with protocol version 0 only what a branch or tag points at can be asked for. Default true. */
  readonly anyCommit?: boolean;
  /** Answers what is none of git's, after the token was checked; true where it did. */
  readonly also?: (req: IncomingMessage, res: ServerResponse) => boolean;
}

export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const requests: string[] = [];
  let sent = 0;
  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    requests.push(`${req.method} ${req.url}`);
    if (options.token !== undefined && passwordOf(req) !== options.token) {
      res.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    if (options.also?.(req, res)) return;
    serve(options, req, res);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      sent += socket.bytesWritten;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    bytesSent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, sent),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function passwordOf(req: IncomingMessage): string | undefined {
  const match = /^Basic (.+)$/i.exec(req.headers.authorization ?? '');
  if (!match) return undefined;
  const pair = Buffer.from(match[1]!, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}

/** Runs the CGI for one request. Source of the variables: git-http-backend(1), RFC 3875. */
function serve(options: GitServerOptions, req: IncomingMessage, res: ServerResponse): void {
  const url = new URL(req.url ?? '/', 'http://localhost');
  const config = [
    ['safe.directory', '*'],
    ['uploadpack.allowFilter', String(options.filter ?? true)],
    ['uploadpack.allowAnySHA1InWant', String(options.anyCommit ?? true)],
  ];
  const cgi = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: options.repos,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_COUNT: String(config.length),
      ...Object.fromEntries(
        config.flatMap(([key, value], i) => [
          [`GIT_CONFIG_KEY_${i}`, key],
          [`GIT_CONFIG_VALUE_${i}`, value],
        ]),
      ),
      ...(options.protocolV2 === false ? {} : { GIT_PROTOCOL: String(req.headers['git-protocol'] ?? '') }),
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: req.method,
      CONTENT_TYPE: req.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(req.headers['content-encoding'] ?? ''),
      REMOTE_USER: 'test',
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  req.pipe(cgi.stdin);
  cgi.stdin.on('error', () => {});
  res.on('close', () => cgi.kill());
  let head = Buffer.alloc(0);
  cgi.stdout.on('data', function onHead(chunk: Buffer) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    cgi.stdout.off('data', onHead);
    let status = 200;
    for (const line of head.subarray(0, end).toString('latin1').split('\r\n')) {
      const [name, value] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()];
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else res.setHeader(name, value);
    }
    res.writeHead(status);
    res.write(head.subarray(end + 4));
    cgi.stdout.pipe(res);
  });
  cgi.on('close', () => {
    if (!res.headersSent) res.writeHead(500);
    res.end();
  });
}

/** Environment in which test repositories are made: nobody's configuration, a fixed author and time. */
export const AUTHOR_ENV = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.invalid',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.invalid',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
} as const;

/** Runs git in `dir` as the test's author; answers its output. */
export function git(dir: string, args: readonly string[], input?: string | Buffer): string {
  return execFileSync('git', args, {
    cwd: dir,
    env: { PATH: process.env.PATH, ...AUTHOR_ENV },
    ...(input === undefined ? {} : { input }),
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  })
    .toString()
    .trim();
}

/** Makes a repository with one commit on branch `main` that holds `files` (path → content). */
export function makeRepo(
  dir: string,
  files: Readonly<Record<string, string | Buffer>>,
): { path: string; commit: string } {
  mkdirSync(dir, { recursive: true });
  git(dir, ['init', '-q', '-b', 'main']);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  git(dir, ['add', '-A', '-f']);
  git(dir, ['commit', '-q', '--allow-empty', '-m', 'first']);
  return { path: dir, commit: git(dir, ['rev-parse', 'HEAD']) };
}

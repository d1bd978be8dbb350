import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAME = '@acme/pad';
const TARBALL = '/@acme/pad/-/pad-1.0.0.tgz';

export interface PrivateRegistry {
  readonly url: string;
  /** Files of a project that installs the registry's one package, `@acme/pad`, with the token of NPM_TOKEN. */
  readonly project: Readonly<Record<string, string>>;
  /** How often it gave its package away. */
  readonly given: number;
  close(): Promise<void>;
}

/** A registry of npm packages that gives nothing to whoever has not this token. */
export async function startPrivateRegistry(token: string): Promise<PrivateRegistry> {
  const tarball = packPackage();
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const state = { given: 0 };
  let url = '';
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end('{}');
    // npm keeps the request's headers that are named here, with what it downloads.
    response.setHeader('Vary', 'Authorization');
    response.setHeader('Cache-Control', 'public, max-age=3600');
    if (decodeURIComponent(request.url ?? '') === TARBALL) {
      state.given++;
      return void response.end(tarball);
    }
    const version = { name: NAME, version: '1.0.0', dist: { tarball: `${url}${TARBALL}`, integrity } };
    const packument = { name: NAME, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } };
    response.setHeader('Content-Type', 'application/json');
    return void response.end(JSON.stringify(packument));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  url = `http://${host}`;
  const manifest = { name: 'site', version: '1.0.0', private: true, dependencies: { [NAME]: '1.0.0' } };
  const lock = { version: '1.0.0', resolved: `${url}${TARBALL}`, integrity };
  const packages = { '': manifest, [`node_modules/${NAME}`]: lock };
  return {
    url,
    project: {
      '.npmrc': `@acme:registry=${url}/\n//${host}/:_authToken=\${NPM_TOKEN}\n`,
      'package.json': JSON.stringify({ ...manifest, scripts: { build: 'node build.cjs' } }),
      'package-lock.json': JSON.stringify({ ...manifest, lockfileVersion: 3, requires: true, packages }),
    },
    get given() {
      return state.given;
    },
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

function packPackage(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'veren-test-'));
  try {
    mkdirSync(join(folder, 'package'));
    writeFileSync(join(folder, 'package/package.json'), JSON.stringify({ name: NAME, version: '1.0.0' }));
    writeFileSync(join(folder, 'package/index.js'), 'module.exports = (text) => text.padStart(8);\n');
    execFileSync('tar', ['-czf', 'package.tgz', 'package'], { cwd: folder });
    return readFileSync(join(folder, 'package.tgz'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

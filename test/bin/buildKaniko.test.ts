import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from '../builder-images/harness.ts';

const REFUSED =
  'reading https://proxy.example/@v/v9.9.9.info: 403 Forbidden\n\tserver response: This module version is not available.';
const AWAY = 'dial tcp: lookup proxy.example: no such host';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veren-build-kaniko-'));
  mkdirSync(join(folder, 'module'));
  writeFileSync(join(folder, 'Dockerfile'), 'ARG KANIKO_VERSION=v9.9.9\nARG CRANE_VERSION=v8.8.8\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The script with a `go` that has crane and the archived Kaniko, and the fork unless it says `fork` of it. */
function build(fork: string | null, dockerfile = join(folder, 'Dockerfile')) {
  const program = join(folder, 'programs/go');
  mkdirSync(join(folder, 'programs'), { recursive: true });
  writeFileSync(
    program,
    `#!/bin/bash
case "$*" in
  install*osscontainertools*) ${fork === null ? 'echo "$*" >"$GOBIN/executor"; chmod 755 "$GOBIN/executor"' : `echo '${fork}' >&2; exit 1`} ;;
  install*) echo "$*" >"$GOBIN/crane"; chmod 755 "$GOBIN/crane" ;;
  mod\\ init*) : >go.mod ;;
  mod\\ download*) printf '{\\n\\t"Dir": "${join(folder, 'module')}",\\n}\\n' ;;
  build*) while [ "$1" != -o ]; do shift; done; echo archived >"$2"; chmod 755 "$2" ;;
esac
`,
  );
  chmodSync(program, 0o755);
  const { status, stderr } = spawnSync('bash', [join(ROOT, '.ci/build-kaniko.sh'), join(folder, 'out'), dockerfile], {
    env: { PATH: [join(folder, 'programs'), process.env.PATH].join(delimiter) },
    encoding: 'utf8',
  });
  const read = (name: string) => {
    const file = join(folder, 'out', name);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  };
  return { status, stderr, version: read('kaniko-version'), executor: read('bin/executor') };
}

test('the fork where it is to be had', () => {
  expect(build(null)).toMatchObject({
    status: 0,
    version: 'github.com/osscontainertools/kaniko@v9.9.9',
    executor: expect.stringContaining('osscontainertools/kaniko/cmd/executor@v9.9.9'),
  });
});

test('a proxy that does not have it: the archived original, and the version says so, with what makes it behave alike', () => {
  const built = build(REFUSED);
  expect(built).toMatchObject({ status: 0, executor: 'archived' });
  expect(built.version).toMatch(
    /^github\.com\/GoogleContainerTools\/kaniko@v1\.24\.0 \(archived\), with --skip-unused-stages/,
  );
  expect(built.version).toContain('does not have github.com/osscontainertools/kaniko@v9.9.9');
  // Again: nothing is built.
  expect(build(AWAY)).toMatchObject({ status: 0, executor: 'archived' });
});

test('a proxy that cannot be reached is an error, not a reason for another program', () => {
  const built = build(AWAY);
  expect(built).toMatchObject({ status: 1, version: null, executor: null });
  expect(built.stderr).toContain('no such host');
});

test('what another pin has left is built anew', () => {
  build(null);
  writeFileSync(join(folder, 'Dockerfile'), 'ARG KANIKO_VERSION=v10.0.0\nARG CRANE_VERSION=v8.8.8\n');
  expect(build(null)).toMatchObject({
    version: 'github.com/osscontainertools/kaniko@v10.0.0',
    executor: expect.stringContaining('@v10.0.0'),
  });
});

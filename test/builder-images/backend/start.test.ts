import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { resolveStart, simpleWords } from '../../../builder-images/build-image-backend/utils/start.ts';
import { VerenError } from '../../../contract/errors.ts';

const pkg = (scripts: Record<string, string>, dependencies: string[] = [], devDependencies: string[] = []) => ({
  scripts,
  dependencies,
  devDependencies,
});
const argv = (command: string, scripts: Record<string, string> = {}) => resolveStart(command, pkg(scripts)).argv;

test.each([
  ['npm start', { start: 'node server.js' }, ['node', 'server.js']],
  ['npm run start:prod', { 'start:prod': 'node dist/main' }, ['node', 'dist/main']],
  ['npm run serve -- --port 80', { serve: 'node a.js' }, ['node', 'a.js', '--port', '80']],
  ['pnpm start', { start: 'pnpm run serve', serve: 'node a.js' }, ['node', 'a.js']],
  ['yarn start', { start: 'yarn node a.js' }, ['node', 'a.js']],
  ['yarn fastify start app.js', {}, ['fastify', 'start', 'app.js']],
  ['bun run start', { start: 'bun src/index.ts' }, ['bun', 'src/index.ts']],
  ['npm start', { start: 'NODE_ENV=production node a.js' }, ['env', 'NODE_ENV=production', 'node', 'a.js']],
  ['npm start', { start: 'cross-env NODE_ENV=production node a.js' }, ['env', 'NODE_ENV=production', 'node', 'a.js']],
  ['npx tsx src/a.ts', {}, ['tsx', 'src/a.ts']],
  ['node "my server.js" --title=\'a b\'', {}, ['node', 'my server.js', '--title=a b']],
  ['node a.js --port $PORT', {}, ['/bin/sh', '-c', 'node a.js --port $PORT']],
  ['npm run build && node dist/a.js', { build: 'tsc' }, ['/bin/sh', '-c', 'npm run build && node dist/a.js']],
])('%s', (command, scripts, expected) => {
  expect(argv(command, scripts as unknown as Record<string, string>)).toEqual(expected);
});

const shell = (command: string, scripts: Record<string, string>, manager = '') => {
  const {
    argv: [program, flag, line],
  } = resolveStart(command, pkg(scripts), manager);
  expect([program, flag]).toEqual(['/bin/sh', '-c']);
  return execFileSync('/bin/sh', ['-c', line as string], { encoding: 'utf8', env: { PATH: process.env.PATH } });
};

test('what belongs before and after a script runs there, under its own name', () => {
  const scripts = {
    prestart: 'echo before $npm_lifecycle_event',
    start: 'false || echo "it is"; echo running',
    poststart: 'npm run tidy',
    tidy: 'echo after $npm_lifecycle_event',
  };
  expect(shell('npm start', scripts)).toBe('before prestart\nit is\nrunning\nafter tidy\n');
  expect(() => shell('npm start', { ...scripts, prestart: 'exit 3' })).toThrow(expect.objectContaining({ status: 3 }));
});

test.each([
  ['npm start', '', true],
  ['bun run start', 'bun@1.4.5', true],
  ['yarn start', 'yarn@1.22.22', true],
  // Sources: Yarn's documentation of lifecycle scripts, pnpm's `enable-pre-post-scripts`.
  ['yarn start', 'yarn@4.5.3', false],
  ['pnpm start', 'pnpm@8.15.9', false],
  ['pnpm start', 'pnpm@9.15.9', true],
  ['pnpm start', 'pnpm', true],
])('%s of %s: scripts before it run: %s', (command, manager, runs) => {
  const {
    argv: [program],
  } = resolveStart(command, pkg({ prestart: 'node m.js', start: 'node a.js' }), manager);
  expect(program).toBe(runs ? '/bin/sh' : 'node');
});

test('what a package manager would tell the script is known', () => {
  const lifecycle = (command: string, scripts: Record<string, string>) => resolveStart(command, pkg(scripts)).lifecycle;
  expect(lifecycle('npm start', { start: 'node a.js' })).toEqual({
    manager: 'npm',
    event: 'start',
    script: 'node a.js',
  });
  // Of scripts that call each other the innermost one's.
  expect(lifecycle('yarn start', { start: 'yarn serve --x', serve: 'node a.js' })).toEqual({
    manager: 'yarn',
    event: 'serve',
    script: 'node a.js --x',
  });
  expect(lifecycle('node a.js', {})).toBeNull();
});

test('a call that means another package stays as it is', () => {
  const scripts = { start: 'node a.js' };
  for (const line of [
    'npm start -w api',
    'npm run start --workspace=api',
    'npm start --prefix api',
    'yarn workspace api start',
  ])
    expect(argv(line, scripts).join(' ')).toBe(line);
  expect(argv('npm start --silent', scripts)).toEqual(['node', 'a.js']);
  expect(resolveStart('yarn workspace api start', pkg(scripts)).needsPackageManager).toBe(true);
});

test('a script that is not there is named', () => {
  expect(() => argv('npm start', { build: 'tsc' })).toThrow(
    expect.objectContaining({ code: 'START_COMMAND_MISSING', message: expect.stringContaining('no script "start"') }),
  );
  expect(() => argv('npm run serve', { start: 'x' })).toThrow(VerenError);
});

test('scripts that call each other end', () => {
  expect(argv('npm start', { start: 'npm run a', a: 'npm start' })[0]).toBe('npm');
});

test('dev dependencies stay where the start needs one, or where that cannot be told', () => {
  const prunable = (start: string) =>
    resolveStart(
      'npm start',
      pkg(
        { start },
        ['express', '@nestjs/core', 'tsx'],
        ['typescript', 'ts-node', '@nestjs/cli', '@swc-node/register', '@types/node'],
      ),
    ).prunable;
  expect(prunable('node dist/main.js')).toBe(true);
  expect(prunable('tsx src/main.ts')).toBe(true);
  expect(prunable('NODE_ENV=production node dist/main.js')).toBe(true);
  expect(prunable('nest start')).toBe(false);
  expect(prunable('ts-node src/main.ts')).toBe(false);
  expect(prunable('node -r ts-node/register src/main.ts')).toBe(false);
  expect(prunable('node --import=@swc-node/register src/main.ts')).toBe(false);
  expect(prunable('npm run build && node dist/main.js')).toBe(false);
});

test('the package manager is kept where it runs the service', () => {
  expect(resolveStart('bun src/index.ts', pkg({})).needsPackageManager).toBe(true);
  expect(resolveStart('node migrate.js && pnpm exec x', pkg({})).needsPackageManager).toBe(true);
  expect(resolveStart('npm start', pkg({ start: 'node a.js' })).needsPackageManager).toBe(false);
});

test('words without shell syntax come out as a shell would split them', () => {
  const word = fc.stringMatching(/^[\w./=:@%+,-]{1,12}$/);
  const quoted = fc.oneof(
    word.map((w) => [w, w] as const),
    fc.stringMatching(/^[\w ./=:@-]{0,12}$/).map((w) => [`'${w}'`, w] as const),
    fc.stringMatching(/^[\w ./=:@-]{0,12}$/).map((w) => [`"${w}"`, w] as const),
  );
  fc.assert(
    fc.property(fc.array(quoted, { minLength: 1, maxLength: 6 }), (words) => {
      expect(simpleWords(words.map(([text]) => text).join(' '))).toEqual(words.map(([, value]) => value));
    }),
  );
});

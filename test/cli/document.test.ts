import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { listCommands } from '../../cli/completion/commandTree.ts';
import { completionScript, SHELLS } from '../../cli/completion/scripts.ts';
import { EXIT } from '../../cli/exitCodes.ts';
import { createProgram } from '../../cli/program.ts';
import { Interrupts, MaskedStream } from '../../cli/shell.ts';
import { ROOT, temporaryFolder } from '../support/veren.ts';

// The prompts are an ES module, which jest does not load; no test here asks anything.
jest.mock('@clack/prompts', () => ({}));

const stream = new MaskedStream(process.stdout, new Set(), false);
const program = createProgram({
  shell: {
    ...{ env: {}, platform: 'linux', cwd: '/', home: homedir(), stdin: process.stdin, stdout: stream, stderr: stream },
    ...{ now: Date.now, interrupts: new Interrupts() },
  },
  openContext: () => Promise.reject(new Error('no command is run')),
  keepSecret: () => {},
  endWith: () => {},
});
const commands = listCommands(program);
const text = readFileSync(join(ROOT, 'docs/cli.md'), 'utf8');
const section = (title: string) => text.split('\n## ').find((part) => part.startsWith(`${title}\n`)) ?? '';
const rowsOf = (title: string) =>
  [...section(title).matchAll(/^\| (.*?) \| (.*) \|$/gm)].slice(1).map(([, a = '', b = '']) => [a, b]);

test('docs/cli.md has every command as the program has it', () => {
  const own = commands
    .filter(({ children }) => children.length === 0)
    .map(({ path, usage, description }) => [`\`${['veren', path, usage].filter(Boolean).join(' ')}\``, description]);
  expect(own.length).toBeGreaterThan(25);
  expect(rowsOf('Commands')).toEqual(own);
});

test('and every exit code', () => {
  expect(rowsOf('Exit codes').map(([code]) => Number(code))).toEqual(Object.values(EXIT));
});

test('every command that prints JSON says which', () => {
  const documented = rowsOf('Output').flatMap(([names = '']) => [...names.matchAll(/`([^`]+)`/g)].map(([, n]) => n));
  const printing = commands.filter(({ options }) => options.includes('--json')).map(({ path }) => path);
  expect(printing.length).toBeGreaterThan(20);
  expect(documented.toSorted()).toEqual(printing.toSorted());
});

describe('completion', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  test('bash completes commands, commands below them, and options', () => {
    const script = join(folder.path, 'veren.bash');
    writeFileSync(script, completionScript('bash', commands));
    const complete = (...words: string[]) =>
      execFileSync(
        'bash',
        [
          '-c',
          `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _veren; echo "\${COMPREPLY[*]}"`,
          script,
          ...words,
        ],
        { encoding: 'utf8' },
      ).trim();
    expect(complete('veren', 'dep')).toBe('deploy');
    expect(complete('veren', 'env', 's')).toBe('set');
    expect(complete('veren', 'env', 'set', 'A=1', '--se')).toBe('--secret --seen-by');
    expect(complete('veren', '--no-color', 'tokens', '')).toBe('ls create revoke --help');
  });

  test.each(SHELLS)('%s reads its script without an error, where it is installed', (shell) => {
    const installed = spawnSync(shell, ['-c', 'true']).status === 0;
    const script = join(folder.path, `script.${shell}`);
    writeFileSync(script, completionScript(shell, commands));
    expect(readFileSync(script, 'utf8')).toContain('rollback');
    if (installed)
      expect(spawnSync(shell, ['-n', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});

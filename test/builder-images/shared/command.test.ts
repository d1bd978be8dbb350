import { runCommand } from '../../../builder-images/shared/command.ts';
import { createSandbox } from '../../../builder-images/shared/sandbox.ts';

/** Somebody whom nobody else is, where the tests run as root. */
const UID = 20_311;
const asRoot = process.getuid?.() === 0;
const sandboxes = [['as ourselves', undefined], ...(asRoot ? ([['as another user', UID]] as const) : [])] as const;

const TURNS = 200;
/** Writes to both outputs in turn, faster than anybody reads. */
const SCRIPT = `for (let i = 0; i < ${TURNS}; i++) { require('fs').writeSync(1, i + ' out\\n'); require('fs').writeSync(2, i + ' err\\n'); }`;

describe.each(sandboxes)('a command %s', (_, uid) => {
  const run = async (command: string, oneStream: boolean) => {
    const sandbox = createSandbox({ uid, maxProcesses: 200, cookie: '' });
    const output = { stdout: '', stderr: '' };
    const result = await runCommand({
      argv: ['/bin/sh', '-c', command],
      cwd: '/',
      env: { PATH: process.env.PATH ?? '', NODE: process.execPath },
      sandbox,
      oneStream,
      signal: new AbortController().signal,
      onOutput: (stream, chunk) => {
        output[stream] += chunk.toString();
      },
    });
    return { ...output, exitCode: result.exitCode };
  };

  test('has both of its outputs on one stream, in the order in which they were written', async () => {
    const { stdout, stderr, exitCode } = await run(`node -e "${SCRIPT}"; exit 3`, true);
    const wanted = Array.from({ length: TURNS }, (__, i) => [`${i} out`, `${i} err`]).flat();
    expect(stdout.trimEnd().split('\n')).toEqual(wanted);
    expect([stderr, exitCode]).toEqual(['', 3]);
  });

  test('has its words in order whatever starts what: shells, pipes, background processes', async () => {
    const { stdout } = await run(
      `echo 1; echo 2 >&2; (echo 3 >&2; echo 4); echo 5 | cat >&2; sh -c 'echo 6; echo 7 >&2'; { echo 8 >&2 & wait; }; echo 9`,
      true,
    );
    expect(stdout.trim().split('\n')).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  test('keeps them apart where nobody asks for one stream', async () => {
    expect(await run('echo out; echo err >&2', false)).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });
});

test('a program that cannot be started, on one stream', async () => {
  const output: string[] = [];
  const { exitCode } = await runCommand({
    argv: ['/nonexistent/program'],
    cwd: '/',
    env: {},
    sandbox: createSandbox({ maxProcesses: 10, cookie: '' }),
    oneStream: true,
    signal: new AbortController().signal,
    onOutput: (_, chunk) => void output.push(chunk.toString()),
  });
  expect(exitCode).toBe(127);
  expect(output.join('')).toMatch(/not found/);
});

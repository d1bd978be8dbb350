import { homedir } from 'node:os';
import { join } from 'node:path';
import { listCommands } from '../../cli/completion/commandTree.ts';
import { EXIT, type ExitCode } from '../../cli/exitCodes.ts';
import { createProgram } from '../../cli/program.ts';
import { Interrupts, MaskedStream } from '../../cli/shell.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';
import { HAS_TERMINAL, useCli } from './cliProcess.ts';

// The prompts are an ES module, which jest does not load; the commands that ask are processes here.
jest.mock('@clack/prompts', () => ({}));
jest.setTimeout(180_000);

const platform = usePlatform();
const cli = useCli();

/** All commands but `mcp`, whose client is a program: test/cli/mcp.test.ts. */
const listNames = (): string[] => {
  const stream = new MaskedStream(process.stdout, new Set(), false);
  const program = createProgram({
    shell: {
      ...{
        env: {},
        platform: 'linux',
        cwd: '/',
        home: homedir(),
        stdin: process.stdin,
        stdout: stream,
        stderr: stream,
      },
      ...{ now: Date.now, interrupts: new Interrupts() },
    },
    openContext: () => Promise.reject(new Error('no command is run')),
    keepSecret: () => {},
    endWith: () => {},
  });
  const leaves = listCommands(program).filter(({ children }) => children.length === 0);
  return leaves.map(({ path }) => path).filter((path) => path !== 'mcp');
};

test.each(['without a terminal', ...(HAS_TERMINAL ? ['on a terminal'] : [])])('every command %s', async (mode) => {
  const onTerminal = mode === 'on a terminal';
  const name = onTerminal ? 'shown' : 'plain';
  const { url, token } = platform.veren;
  const { path } = makeRepo(join(platform.folder, name), {
    'index.html': name,
    'veren.json': JSON.stringify({ frontend: HOST_NODE }),
  });
  const done = new Set<string>();
  const names = listNames();
  const run = async (args: string[], expected: ExitCode = EXIT.ok, env: Record<string, string> = {}) => {
    const options = { cwd: path, env: { TERM: 'xterm', ...env } };
    const result = await (onTerminal ? cli.runOnTerminal(args, options) : cli.run(args, options));
    // Output is shown where something else was expected.
    expect({ args, ...result }).toEqual({ args, ...result, code: expected });
    expect(result.stdout + result.stderr).not.toMatch(/\n\s+at .*\.m?[jt]s:\d/);
    if (!onTerminal) expect(result.stdout + result.stderr).not.toContain('\u001b');
    const known = names.filter((command) => `${args.join(' ')} `.startsWith(`${command} `));
    for (const command of known) done.add(command);
    return result;
  };
  const newest = async () =>
    (await platform.veren.client.listDeployments({ projectId: name, limit: 1 })).items[0]!.deploymentId;

  await run(['whoami'], EXIT.notAuthenticated);
  await run(['login', url, '--name', name], EXIT.notAuthenticated, { VEREN_TOKEN: 'not-a-token-of-this-platform' });
  await run(['login', url, '--name', name], EXIT.ok, { VEREN_TOKEN: token });
  await run(['whoami'], EXIT.platform, { VEREN_URL: 'http://127.0.0.1:9', VEREN_TOKEN: token, VEREN_CONTEXT: '' });
  await run(['contexts', 'ls']);
  await run(['contexts', 'use', name]);
  await run(['whoami']);
  await run(['analyze']);
  await run(['analyze', '--ref', 'nowhere'], EXIT.failedBuild);
  await run(['deploy', '--ref', 'nowhere', '--project', name], EXIT.failedBuild);
  await run(['deploy', '--prod', '--no-such-option'], EXIT.usage);
  await run(['link', name]);
  await run(['deploy', '--prod']);
  const first = await newest();
  await run(['redeploy']);
  for (const args of [['ls'], ['inspect'], ['logs'], ['logs', '-f'], ['projects'], ['open', '--print']])
    await run(args);
  await run(['cancel', first], EXIT.usage);
  await run(['rollback', first]);
  await run(['promote', await newest()]);
  await run(['pin']);
  await run(['unpin']);
  await run(['releases']);
  await run(['env', 'set', 'A=1']);
  await run(['env', 'ls']);
  await run(['env', 'pull']);
  // It has no backend.
  await run(['env', 'release'], EXIT.usage);
  await run(['env', 'rm', 'A']);
  for (const action of ['add', 'rm']) await run(['domains', action, `www.${name}.example`]);
  await run(['domains', 'ls']);
  await run(['tokens', 'create', name]);
  await run(['tokens', 'ls']);
  const { items } = await platform.veren.client.listTokens();
  await run(['tokens', 'revoke', items[0]!.id]);
  await run(['members', 'set', name, 'developer']);
  await run(['members', 'ls']);
  await run(['members', 'rm', name]);
  await run(['audit']);
  await run(['usage']);
  await run(['costs']);
  await run(['costs', '--month', '13-2026'], EXIT.usage);
  await run(['completion', 'bash']);
  await run(['contexts', 'rm', name]);
  expect([...done].toSorted()).toEqual(names.toSorted());
});

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, tooSlow } from '../support/engines.ts';
import { HOST_NODE, ROOT, usePlatform } from '../support/veren.ts';
import { useCli } from './cliProcess.ts';

jest.setTimeout(300_000);

/** The protocol's own client of the command line; the last line of it that starts on Node 20. Run, and kept nowhere. */
const INSPECTOR = '@modelcontextprotocol/inspector-cli@1.0.3';
const inspector = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const own = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const npx = ['exec', '--yes', `--package=${INSPECTOR}`, '--', 'mcp-inspector-cli', '--cli', ...own, ...args];
  // It takes its own package.json where one is above the folder that it is called in.
  return spawnSync('npm', npx, { cwd: join(ROOT, 'test'), encoding: 'utf8' });
};
const missing = () =>
  tooSlow ?? (inspector(['--help']).status === 0 ? null : `npm does not give ${INSPECTOR}; it needs a network`);

describeWith(missing(), "veren mcp with the protocol's inspector", () => {
  const platform = usePlatform();
  const cli = useCli();
  const ask = (method: string, ...args: string[]) => {
    const { url, token } = platform.veren;
    const env = { VEREN_URL: url, VEREN_TOKEN: token, HOME: cli.folder, PATH: process.env.PATH ?? '' };
    const { status, stdout, stderr } = inspector([process.execPath, cli.file, 'mcp', '--method', method, ...args], env);
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  };
  const call = (name: string, args: Readonly<Record<string, string>> = {}) => {
    const given = Object.entries(args).flatMap(([key, value]) => ['--tool-arg', `${key}=${value}`]);
    const { content, isError } = ask('tools/call', '--tool-name', name, ...given);
    return { text: (content as { text: string }[]).map(({ text }) => text).join('\n'), isError: isError === true };
  };

  test('every tool is listed with its schema, and each is called', async () => {
    const { tools } = ask('tools/list') as { tools: { name: string; inputSchema: { type: string } }[] };
    expect(tools.every(({ inputSchema }) => inputSchema.type === 'object')).toBe(true);
    const folder = join(platform.folder, 'site');
    mkdirSync(folder);
    const called = new Set<string>();
    const use = (name: string, args: Readonly<Record<string, string>> = {}) => {
      called.add(name);
      return call(name, args);
    };
    for (const text of ['one', 'two']) {
      writeFileSync(join(folder, 'index.html'), text);
      writeFileSync(join(folder, 'veren.json'), JSON.stringify({ frontend: HOST_NODE }));
      const deployed = await cli.run(['deploy', '--prod', '--project', 'site', folder], {
        env: { VEREN_URL: platform.veren.url, VEREN_TOKEN: platform.veren.token },
      });
      expect(deployed.code).toBe(0);
    }
    const [newest] = JSON.parse(use('list_deployments', { projectId: 'site', limit: '1' }).text);
    expect(newest).toMatchObject({ status: 'succeeded', isLive: true });
    const of = { deploymentId: newest.deploymentId as string };
    expect(JSON.parse(use('list_projects').text)).toMatchObject([{ projectId: 'site', live: newest.deploymentId }]);
    expect(JSON.parse(use('get_deployment', of).text)).toMatchObject({ isLive: true });
    expect(use('read_logs', { ...of, lines: '5' }).text).toContain('begin of build output');
    expect(use('explain_failure', of).text).toContain('no failure');
    // It starts the server anew for each call, so no code of an earlier one is good; nothing is changed without one.
    expect(use('rollback', { projectId: 'site' })).toMatchObject({
      isError: true,
      text: expect.stringContaining('Nothing was changed'),
    });
    expect(use('deploy', { projectId: 'site', ref: 'pull/7/head' })).toMatchObject({ isError: true });
    expect(call('get_deployment', { deploymentId: 'nothing' })).toMatchObject({ isError: true });
    expect([...called].toSorted()).toEqual(tools.map(({ name }) => name).toSorted());
  });
});

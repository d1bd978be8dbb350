import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { ProblemError } from '../../cli/client/errors.ts';
import type { CommandContext } from '../../cli/commandContext.ts';
import { createMcpServer } from '../../cli/mcp/startMcp.ts';
import { readLink, writeLink } from '../../cli/project/linkFile.ts';
import type { Shell } from '../../cli/shell.ts';
import { findFolder } from '../../cli/upload/deployFolder.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'veren-consent-')));
const [home, work] = [join(root, 'home'), join(root, 'home/work')];
mkdirSync(join(work, 'app'), { recursive: true });
mkdirSync(join(root, 'other'));
afterAll(() => rmSync(root, { recursive: true }));

const OWN = 'https://git.example/me/app.git';
const shell = {
  ...{ env: { PATH: process.env.PATH }, platform: 'linux', cwd: work, home, now: Date.now },
  stderr: { write: () => true },
} as unknown as Shell;

/** The tools, with a client of the API that notes what is asked of it. */
async function connect(agree?: (message: string) => boolean) {
  const created: Record<string, unknown>[] = [];
  const api = {
    getProject: async (id: string) => {
      if (id === 'new') throw new ProblemError({ status: 404, code: 'NOT_FOUND' } as never);
      return { settings: id === 'app' ? { gitUrl: OWN } : {} };
    },
    noteUpload: async () => ({ uploadId: 'a'.repeat(64), lacking: 0, send: [] }),
    createDeployment: async (request: Record<string, unknown>) => {
      created.push(request);
      return {};
    },
    getReleases: async () => ({ release: { deploymentId: 'b' }, releases: [{ deploymentId: 'a' }] }),
    rollback: async () => ({ release: { deploymentId: 'a' } }),
  };
  const server = createMcpServer({
    ...{ shell, client: api, chosen: { url: 'https://veren.example' }, style: { safe: (text: string) => text } },
  } as unknown as CommandContext);
  const client = new Client({ name: 'test', version: '1' }, agree ? { capabilities: { elicitation: {} } } : {});
  if (agree)
    client.setRequestHandler(ElicitRequestSchema, async ({ params: { message } }) =>
      agree(message) ? { action: 'accept', content: { agree: true } } : { action: 'decline' },
    );
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(ours), client.connect(theirs)]);
  const call = async (name: string, args: Record<string, unknown>) => {
    const { content, isError } = await client.callTool({ name, arguments: args });
    const text = (content as { text: string }[]).map((part) => part.text).join('\n');
    return { text, isError: isError === true, code: /confirm: "(\w+)"/.exec(text)?.[1] };
  };
  return { call, created };
}

test("another repository than the project's, or a ref that a stranger can make, needs the person", async () => {
  const { call, created } = await connect();
  for (const gitUrl of [OWN, 'https://GIT.example/me/app/', undefined])
    expect((await call('deploy', { projectId: 'app', gitUrl, ref: 'main' })).isError).toBe(false);
  // Its own URL as the project has it, whatever it was called in the call.
  expect(created.map(({ gitUrl }) => gitUrl)).toEqual([OWN, OWN, OWN]);
  for (const gitUrl of ['https://git.example/me/app2', 'https://git.example@evil.example/me/app', 'git@evil:me/app'])
    expect(await call('deploy', { projectId: 'app', gitUrl })).toMatchObject({
      isError: true,
      text: expect.stringContaining(gitUrl),
    });
  const requests = [
    'pull/7/head',
    'pull/7/merge',
    'merge-requests/7/head',
    'changes/01/7/1',
    'pull-requests/7/from',
    `keep-around/${'a'.repeat(40)}`,
  ];
  for (const ref of [...requests, ...requests.map((name) => `refs/${name}`), 'refs/remotes/evil/main', 'a'.repeat(40)])
    expect(await call('deploy', { projectId: 'app', ref })).toMatchObject({ isError: true });
  expect(created).toHaveLength(3);
  for (const ref of ['feature/new', 'refs/heads/main', 'heads/main', 'refs/tags/v1', 'v1.2.3'])
    expect((await call('deploy', { projectId: 'app', ref })).isError).toBe(false);
});

test('a code is good for the same call, once; asked, the person sees source, ref and target', async () => {
  const { call, created } = await connect();
  const foreign = { projectId: 'app', gitUrl: 'https://evil.example/x', ref: 'main' };
  const { code, text } = await call('deploy', foreign);
  for (const part of ['https://evil.example/x', '"main"', 'preview', 'project app']) expect(text).toContain(part);
  expect((await call('deploy', { ...foreign, confirm: 'app' })).isError).toBe(true);
  expect((await call('deploy', { ...foreign, production: true, confirm: code })).isError).toBe(true);
  // It was spent on the wrong call.
  const again = await call('deploy', { ...foreign, confirm: code });
  expect(again.isError).toBe(true);
  expect((await call('deploy', { ...foreign, confirm: again.code })).isError).toBe(false);
  expect((await call('deploy', { ...foreign, confirm: again.code })).isError).toBe(true);
  expect(created).toEqual([{ ...foreign, environment: 'preview' }]);

  const asked = await call('rollback', { projectId: 'app' });
  expect((await call('rollback', { projectId: 'app', confirm: 'a' })).isError).toBe(true);
  expect((await call('rollback', { projectId: 'other', confirm: asked.code })).isError).toBe(true);

  const questions: string[] = [];
  const seen = await connect((message) => questions.push(message) > 1);
  expect((await seen.call('deploy', foreign)).text).toContain('did not agree');
  expect((await seen.call('deploy', { projectId: 'app', production: true })).isError).toBe(false);
  expect(questions[0]).toContain('https://evil.example/x');
  expect(questions[1]).toContain(`${OWN}, at its default branch, to production of the project app`);
});

test('an assistant uploads nothing from elsewhere, by whatever name', async () => {
  const { call } = await connect();
  symlinkSync(join(root, 'other'), join(work, 'inside'));
  for (const folder of [join(root, 'other'), 'inside', '../../other'])
    expect(await call('deploy', { projectId: 'app', folder })).toMatchObject({
      isError: true,
      text: expect.stringContaining('no other folder is uploaded'),
    });
});

test('a folder that the person has not given to the project before needs them: its build gets the variables', async () => {
  const folder = join(work, 'app/node_modules/package');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), '');
  const { call, created } = await connect();
  for (const projectId of ['app', 'uploads']) {
    await writeLink(shell, join(work, 'app'), projectId);
    const asked = await call('deploy', { projectId, folder });
    expect(asked).toMatchObject({ isError: true, text: expect.stringContaining(`${folder}, which was not deployed`) });
    expect(created).toEqual([]);
    expect(await call('deploy', { projectId, folder, confirm: asked.code })).toMatchObject({ isError: false });
    // It was agreed to once.
    expect(await call('deploy', { projectId, folder })).toMatchObject({ isError: false });
    expect(created.splice(0)).toHaveLength(2);
  }
  const linked = join(work, 'linked');
  mkdirSync(linked);
  writeFileSync(join(linked, 'index.html'), '');
  expect((await call('deploy', { projectId: 'app', folder: linked })).isError).toBe(true);
  await writeLink(shell, linked, 'app');
  expect((await call('deploy', { projectId: 'app', folder: linked })).isError).toBe(false);
  // A project that is not there has nothing that its build could get.
  expect((await call('deploy', { projectId: 'new', folder })).isError).toBe(false);
});

test('a link to a home is a home', async () => {
  symlinkSync(home, join(root, 'app'));
  await expect(findFolder({ shell }, join(root, 'app'))).rejects.toMatchObject({ code: 'CLI_FOLDER_TOO_WIDE' });
});

test('a link file is followed only where the user has made it, in a repository too', async () => {
  const archive = join(work, 'archive');
  mkdirSync(join(archive, '.git/refs'), { recursive: true });
  mkdirSync(join(archive, '.git/objects'));
  writeFileSync(join(archive, '.git/HEAD'), 'ref: refs/heads/main\n');
  writeFileSync(join(archive, '.veren-project.json'), '{"projectId": "shop"}');
  const refused = readLink(shell, archive);
  await expect(refused).rejects.toMatchObject({ code: 'CLI_NO_PROJECT' });
  await expect(refused).rejects.toThrow('veren link shop');
  await writeLink(shell, archive, 'shop');
  expect(await readLink(shell, archive)).toBe('shop');
});

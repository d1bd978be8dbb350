import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeploymentViewSchema } from '../../contract/api.ts';
import { AuditListSchema, MemberListSchema, UsageSchema } from '../../contract/people.ts';
import { ReleaseHistorySchema } from '../../contract/releases.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';
import { useCli } from './cliProcess.ts';

jest.setTimeout(120_000);

const platform = usePlatform({ VEREN_LIMITS: '{"deploymentsPerHour":50}' });
const cli = useCli();
const SETTINGS = JSON.stringify({ frontend: HOST_NODE });

let site: string;
const run = (args: string[], options: Parameters<typeof cli.run>[1] = {}) =>
  cli.run(args, {
    cwd: site,
    ...options,
    env: { VEREN_URL: platform.veren.url, VEREN_TOKEN: platform.veren.token, ...options.env },
  });

beforeAll(() => {
  site = join(platform.folder, 'site');
  mkdirSync(site);
  writeFileSync(join(site, 'index.html'), '<h1>one</h1>');
  writeFileSync(join(site, 'veren.json'), SETTINGS);
});

describe('what an uploaded folder is shown as', () => {
  test('deployed twice without a change, --prod is released both times, and says what it shows', async () => {
    const first = await run(['deploy', '--prod']);
    expect({ code: first.code, stderr: first.code === 0 ? '' : first.stderr }).toEqual({ code: 0, stderr: '' });
    expect(first.stderr).toMatch(
      new RegExp(`^Deployment (\\w+) of site\\n${platform.veren.url}/dashboard/deployments/\\1$`, 'm'),
    );
    const again = await run(['deploy', '--prod']);
    expect(again).toMatchObject({ code: 0, stdout: first.stdout });
    const [, built] = /^Deployment (\w+) of site$/m.exec(first.stderr) ?? [];
    expect(again.stderr).toContain(`nothing was built: it shows ${built}.`);
    expect(again.stderr).not.toContain('Not released');
    const shown = DeploymentViewSchema.parse(JSON.parse((await run(['inspect', '--json'])).stdout));
    expect(shown).toMatchObject({ sameAs: built, released: expect.any(String) });
    expect((await run(['inspect'])).stdout).toMatch(/^ {2}production +serves it since /m);

    // What production has left is not released by itself while it is pinned.
    writeFileSync(join(site, 'index.html'), '<h1>two</h1>');
    expect((await run(['deploy', '--prod'])).stdout).toBe(first.stdout);
    expect((await run(['pin'])).code).toBe(0);
    writeFileSync(join(site, 'index.html'), '<h1>one</h1>');
    const pinned = await run(['deploy', '--prod']);
    expect(pinned.stderr).toContain('Not released: site is pinned.');
    expect(pinned.stdout).not.toBe(first.stdout);
    expect((await run(['unpin'])).code).toBe(0);
  });

  test('no commit, which it has not; a repository has one', async () => {
    expect((await run(['ls'])).stdout).toMatch(/ upload [0-9a-f]{12} /);
    const inspected = (await run(['inspect'])).stdout;
    expect(inspected).toMatch(/^ {2}uploaded +[0-9a-f]{12}$/m);
    expect(inspected).not.toMatch(/^ {2}(commit|ref)/m);
    const { path, commit } = makeRepo(join(platform.folder, 'app'), { 'index.html': 'x', 'veren.json': SETTINGS });
    expect((await run(['deploy', '--prod'], { cwd: path })).code).toBe(0);
    const projects = (await run(['projects'])).stdout;
    expect(projects).toMatch(new RegExp(`^app +live +\\w+ +\\d+ \\w+ ago +main ${commit.slice(0, 7)} +veren `, 'm'));
    expect(projects).toMatch(/^site +live +\w+ +\d+ \w+ ago +upload [0-9a-f]{12} +veren /m);
  });

  test('releases: when, what, how and by whom', async () => {
    const back = await run(['rollback', '--reason', 'too new']);
    expect(back.code).toBe(0);
    const { stdout } = await run(['releases', 'site']);
    const [heading, newest, before] = stdout.split('\n');
    expect(heading).toMatch(/^DEPLOYMENT +RELEASED +SOURCE +HOW +BY +REASON$/);
    expect(newest).toMatch(/^\w+ +\d+ \w+ ago \(live\) +upload [0-9a-f]{12} +rollback +laptop +too new$/);
    expect(before).toMatch(/^\w+ +\d+ \w+ ago +upload [0-9a-f]{12} +automatic +veren +-$/);
    expect((await run(['releases', '-n', '1'])).stdout.trim().split('\n')).toHaveLength(2);
    const history = ReleaseHistorySchema.parse(JSON.parse((await run(['releases', '--json'])).stdout));
    expect(history.release?.reason).toBe('too new');
    expect((await run(['releases', 'nothing'])).code).toBe(2);
  });
});

describe('people and tokens', () => {
  test('a member is added, limited, given a token that is used, and removed with it', async () => {
    expect((await run(['members', 'ls'])).stderr).toContain('No members yet');
    expect((await run(['members', 'set', 'eve', 'viewer'])).stderr).toContain('eve is viewer');
    expect(await run(['members', 'set', 'eve', 'owner'])).toMatchObject({ code: 2, stdout: '' });
    const made = await run(['tokens', 'create', 'of eve', '--scope', 'deploy', '--member', 'eve']);
    const asEve = (args: string[]) => run(args, { env: { VEREN_TOKEN: made.stdout.trim() } });
    // The role is the lesser of the two.
    expect(JSON.parse((await asEve(['whoami', '--json'])).stdout)).toMatchObject({ name: 'of eve', scope: 'read' });
    expect((await asEve(['deploy', '--prod'])).code).toBe(3);
    for (const args of [['members', 'set', 'mallory', 'admin'], ['audit']]) {
      const refused = await asEve(args);
      expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 3, stdout: '' });
      expect(refused.stderr).toContain('it needs the scope "admin"');
    }
    expect((await run(['tokens', 'ls'])).stdout).toMatch(/of eve +deploy +all +eve +\d+ \w+ ago +never$/m);
    expect((await run(['members', 'ls'])).stdout).toMatch(/^eve +viewer +\d+ \w+ ago$/m);
    expect(MemberListSchema.parse(JSON.parse((await run(['members', 'ls', '--json'])).stdout)).items).toHaveLength(1);
    expect((await run(['members', 'rm', 'eve'])).code).toBe(0);
    expect((await asEve(['ls', '--all'])).code).toBe(3);
    expect((await run(['members', 'rm', 'eve'])).code).toBe(2);
  });

  test('audit: who has changed what, page by page', async () => {
    const { stdout, stderr } = await run(['audit', '-n', '2']);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +laptop +member\.remove +- +eve +revoked tokens: of eve$/m);
    const [, cursor = ''] = /--cursor (\S+)/.exec(stderr) ?? [];
    const next = AuditListSchema.parse(JSON.parse((await run(['audit', '--cursor', cursor, '--json'])).stdout));
    expect(next.items.map(({ action }) => action)).toEqual(expect.arrayContaining(['member.add', 'release.rollback']));
    expect((await run(['audit', '-n', '0'])).code).toBe(2);
  });

  test('costs, where nothing costs', async () => {
    expect((await run(['costs'])).stdout).toMatch(/^site in \d{4}-\d\d: no build has cost anything$/m);
  });

  test('usage against limits', async () => {
    const { stdout } = await run(['usage']);
    expect(stdout).toMatch(/^builds at once +0 +2$/m);
    expect(stdout).toMatch(/^deployments in this hour +[1-9]\d* +50$/m);
    expect(stdout).toMatch(/^requests in this minute +[1-9]\d* +none$/m);
    expect(stdout).toMatch(/^members +0 +200$/m);
    const usage = UsageSchema.parse(JSON.parse((await run(['usage', '--json'])).stdout));
    expect(usage.builds).toMatchObject({ used: 0, limit: 2 });
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VerenError } from '../../../../../../contract/errors.ts';
import { describeSettingsFile, MAX_SETTINGS_BYTES } from '../../../../../../contract/settings-file.ts';
import { detectProjectType } from '../../../../../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import type { DetectRequest } from '../../../../../../lambdas/clone-worker/services/detector/detectRequest.ts';
import { type MemoryEntry, memoryFs } from '../../../../../support/memoryFs.ts';

type Files = Readonly<Record<string, MemoryEntry>>;
const json = (value: unknown) => JSON.stringify(value);
const vite = json({ scripts: { build: 'vite build' }, devDependencies: { vite: '^7' } });
const site: Files = { 'package.json': vite, 'index.html': '' };
const server = json({ scripts: { start: 'node index.js' }, dependencies: { express: '^5' } });
const monorepo: Files = {
  'package.json': json({ workspaces: ['apps/*'] }),
  'apps/web/package.json': vite,
  'apps/web/index.html': '',
  'apps/admin/package.json': vite,
  'apps/admin/index.html': '',
  'apps/api/package.json': server,
  'apps/api/index.js': '',
};

const detect = (files: Files, request: Partial<DetectRequest> = {}) =>
  detectProjectType(memoryFs(files), { today: '2026-11-23', maxFileBytes: 1024 * 1024, ...request });
const file = (settings: unknown): Files => ({ 'veren.json': json(settings) });

async function refusal(files: Files, request?: Partial<DetectRequest>): Promise<VerenError> {
  const error = await detect(files, request).then(
    (plan) => new Error(`a plan was made: ${json(plan)}`),
    (e: unknown) => e,
  );
  if (!(error instanceof VerenError)) throw error;
  expect(error.code).toBe('SETTINGS_FILE_INVALID');
  expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  return error;
}

describe('what a file says is done, and the evidence names the file', () => {
  test('every override of a frontend', async () => {
    const frontend = {
      nodeVersion: 22,
      installCommand: 'npm ci --omit=dev',
      buildCommand: 'make site',
      outputDirectory: 'public/out',
      allowSecrets: ['docs/'],
    };
    const plan = await detect({ ...site, ...file({ frontend }) });
    expect(plan.frontend).toMatchObject(frontend);
    for (const field of Object.keys(frontend))
      expect(plan.frontend?.evidence.filter((e) => e.field === field)).toEqual([
        expect.objectContaining({ rule: 'veren.json', file: 'veren.json' }),
      ]);
  });
  test('every override of a backend', async () => {
    const files = { 'package.json': server, 'index.js': '' };
    const plan = await detect({ ...files, ...file({ backend: { nodeVersion: 20, startCommand: 'node other.js' } }) });
    expect(plan.backend).toMatchObject({ nodeVersion: 20, startCommand: 'node other.js' });
  });
  test('an empty command runs nothing', async () => {
    const plan = await detect({ ...site, ...file({ frontend: { buildCommand: '' } }) });
    expect(plan.frontend?.buildCommand).toBeNull();
  });
  test('false leaves a target out', async () => {
    const plan = await detect({ ...monorepo, ...file({ backend: false }) });
    expect(plan.backend).toBeUndefined();
    expect(plan.frontend).toBeDefined();
  });
  test('a folder without any manifest', async () => {
    const files = { 'README.md': '', 'pages/index.html': '<p>', 'pages/.nvmrc': '20' };
    const plan = await detect({ ...files, ...site, ...file({ frontend: { path: './pages/' } }) });
    expect(plan.frontend).toMatchObject({ path: 'pages' });
    expect(plan.frontend?.evidence).toContainEqual({
      field: 'path',
      value: 'pages',
      rule: 'veren.json',
      file: 'veren.json',
    });
  });
  test('git and publication', async () => {
    const git = { submodules: true, lfs: true, fetchDepth: 0, tags: true };
    const plan = await detect({ ...site, sub: { kind: 'submodule' }, ...file({ git, publication: 'independent' }) });
    expect(plan).toMatchObject({ git, publication: 'independent' });
    expect(plan.evidence).toHaveLength(5);
    expect(plan.warnings).toEqual([]);
  });
  test('without a file the plan is as it was', async () => {
    expect(Object.keys(await detect(site)).sort()).toEqual(['candidates', 'frontend', 'warnings']);
  });
});

describe('a request wins over the file, field by field', () => {
  test('a command', async () => {
    const stated = file({ frontend: { buildCommand: 'a', outputDirectory: 'b' } });
    const plan = await detect({ ...site, ...stated }, { frontend: { buildCommand: 'c' } });
    expect(plan.frontend).toMatchObject({ buildCommand: 'c', outputDirectory: 'b' });
    const rules = plan.frontend?.evidence.map(({ field, rule }) => `${field}: ${rule}`);
    expect(rules).toContain('buildCommand: request');
    expect(rules).toContain('outputDirectory: veren.json');
  });
  test('an object over false, and false over an object', async () => {
    expect((await detect({ ...site, ...file({ frontend: false }) }, { frontend: {} })).frontend).toBeDefined();
    const plan = await detect({ ...monorepo, ...file({ backend: { startCommand: 'x' } }) }, { backend: false });
    expect(plan.backend).toBeUndefined();
  });
  test('git options', async () => {
    const plan = await detect({ ...site, ...file({ git: { lfs: true, tags: true } }) }, { git: { lfs: false } });
    expect(plan.git).toEqual({ lfs: false, tags: true });
    expect(plan.evidence).toContainEqual({ field: 'git.lfs', value: 'false', rule: 'request' });
  });
  test('another folder: what the file says of its own one does not hold for it', async () => {
    const stated = file({ frontend: { path: 'apps/web', buildCommand: 'for-web' } });
    const plan = await detect({ ...monorepo, ...stated }, { frontend: { path: 'apps/admin' } });
    expect(plan.frontend?.path).toBe('apps/admin');
    expect(plan.frontend?.buildCommand).not.toBe('for-web');
    expect(plan.warnings).toContainEqual(expect.stringContaining('is about "apps/web"'));
    expect((await detect({ ...monorepo, ...stated }, { path: 'apps/admin' })).frontend?.path).toBe('apps/admin');
    expect((await detect({ ...monorepo, ...stated }, { path: 'apps' })).frontend?.buildCommand).toBe('for-web');
  });
});

describe('the file in the folder of a target', () => {
  const own = { 'apps/web/veren.json': json({ frontend: { buildCommand: 'own' } }) };
  test('wins over what the root says of that target', async () => {
    const root = file({
      frontend: { path: 'apps/web', buildCommand: 'root', outputDirectory: 'root' },
      backend: { startCommand: 'node root.js' },
    });
    const plan = await detect({ ...monorepo, ...root, ...own });
    expect(plan.frontend).toMatchObject({ path: 'apps/web', buildCommand: 'own', outputDirectory: 'dist' });
    expect(plan.backend).toMatchObject({ startCommand: 'node root.js' });
    expect(plan.frontend?.evidence).toContainEqual(
      expect.objectContaining({ field: 'buildCommand', file: 'apps/web/veren.json' }),
    );
  });
  test('plays no part where another folder is chosen, whatever is in it', async () => {
    const broken = { 'apps/admin/veren.json': '{' };
    const plan = await detect({ ...monorepo, ...own, ...broken }, { frontend: { path: 'apps/web' } });
    expect(plan.frontend?.buildCommand).toBe('own');
    expect((await refusal({ ...monorepo, ...broken }, { frontend: { path: 'apps/admin' } })).message).toMatch(
      /^apps\/admin\/veren\.json is not valid: it is not valid JSON/,
    );
  });
  test('false: the folder is no such target, unless it is named', async () => {
    const no = { 'apps/web/veren.json': json({ frontend: false }) };
    expect((await detect({ ...monorepo, ...no })).frontend?.path).toBe('apps/admin');
    expect((await detect({ ...monorepo, ...no }, { frontend: { path: 'apps/web' } })).frontend?.path).toBe('apps/web');
  });
  test('cannot say what holds for the whole deployment or another folder', async () => {
    const files = {
      'apps/web/veren.json': json({ git: {}, publication: 'together', frontend: { path: '.' } }),
    };
    const { message } = await refusal({ ...monorepo, ...files }, { frontend: { path: 'apps/web' } });
    for (const field of ['git', 'publication', 'frontend.path']) expect(message).toContain(`"${field}"`);
  });
});

describe('every fault at once, with what to do', () => {
  test.each<[string, unknown, readonly string[]]>([
    [
      'a misspelled name',
      { frontend: { buildComand: 'x' } },
      ['"frontend.buildComand" is no setting; did you mean "buildCommand"?'],
    ],
    ['another spelling', { frontend: { outputdirectory: 'x' } }, ['did you mean "outputDirectory"?']],
    ['a name that is like none', { frontend: { framework: 'vite' } }, ['there are "path", "runtime", "nodeVersion"']],
    [
      'a setting on the wrong level',
      { buildCommand: 'x', submodules: true },
      [
        '"buildCommand" is no setting here; it belongs into "frontend"',
        '"submodules" is no setting here; it belongs into "git"',
      ],
    ],
    ['a setting of the top inside', { frontend: { publication: 'x' } }, ['it belongs to the top of the file']],
    [
      'what only a request says',
      { env: { A: 'b' }, gitToken: 't', projectId: 'p', cache: 'drop', ref: 'x', lane: 'production' },
      [
        '"env" cannot be set in a file',
        '"gitToken" cannot be set',
        '"projectId" cannot',
        '"cache" cannot',
        '"ref" cannot',
        '"lane" cannot',
      ],
    ],
    [
      'types',
      { frontend: { nodeVersion: '22', installCommand: 5, allowSecrets: 'x' }, backend: 5 },
      [
        '"frontend.nodeVersion" must be 18, 20, 22 or 24',
        '"frontend.installCommand" must be a string',
        '"frontend.allowSecrets" must be an array',
        '"backend" must be false or an object',
      ],
    ],
    ['true', { frontend: true }, ['"frontend" must be false or an object']],
    ['null', { frontend: null, git: null }, ['"frontend" must be false or an object', '"git" must be an object']],
    [
      'choices and numbers',
      { publication: 'later', git: { fetchDepth: -1, lfs: 'yes' } },
      [
        '"publication" must be "together" or "independent"',
        '"git.fetchDepth" must be at least 0',
        '"git.lfs" must be a boolean',
      ],
    ],
    [
      'paths out of the repository',
      { frontend: { path: '../x', outputDirectory: '/etc' }, backend: { path: 'a/../../b' } },
      [
        '"frontend.path" must stay inside',
        '"frontend.outputDirectory" must be a path',
        '"backend.path" must stay inside',
      ],
    ],
    [
      'folders that are not there',
      { frontend: { path: 'nowhere' }, backend: { path: 'no-api' } },
      ['"frontend.path" names no folder of the repository ("nowhere")', '"backend.path" names no folder'],
    ],
    ['an option in the place of a path', { frontend: { path: '-rf' } }, ['"frontend.path" must be']],
    [
      'control characters',
      { frontend: { buildCommand: 'a\u0000b', outputDirectory: 'a\nb' }, backend: { startCommand: 'a\rb' } },
      [
        '"frontend.buildCommand" must not contain control',
        '"frontend.outputDirectory" must not',
        '"backend.startCommand" must not',
      ],
    ],
    [
      'lengths',
      { frontend: { buildCommand: 'x'.repeat(2_001) } },
      ['"frontend.buildCommand" must have at most 2000 characters'],
    ],
    [
      'half of a surrogate pair',
      { backend: { startCommand: '\ud800' } },
      ['"backend.startCommand" holds half of a surrogate pair'],
    ],
  ])('%s', async (_name, settings, says) => {
    const { message } = await refusal({ ...site, ...file(settings) });
    for (const sentence of says) expect(message).toContain(sentence);
  });

  test.each<[string, MemoryEntry, RegExp]>([
    ['no JSON', '{"frontend": {,}}', /not valid JSON/],
    ['comments', '// x\n{}', /not valid JSON/],
    ['a list', '[]', /holds no JSON object/],
    ['null', 'null', /holds no JSON object/],
    ['nothing', '', /not valid JSON/],
    ['too long', json({ $schema: 'x', pad: 'x'.repeat(MAX_SETTINGS_BYTES) }), /32768 bytes at most/],
    ['longer than any manifest', 'x'.repeat(1024 * 1024 + 1), /32768 bytes at most/],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /UTF-8/],
    ['a link', { kind: 'symlink' }, /symbolic link/],
    ['a submodule', { kind: 'submodule' }, /no file/],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\n', /Git LFS pointer/],
    [
      'a prototype',
      '{"__proto__":{"frontend":false},"frontend":{"__proto__":{"path":"x"},"constructor":{}}}',
      /"__proto__" is no setting.*"frontend\.__proto__" is no setting|"frontend\.__proto__" is no setting.*"__proto__" is no setting/,
    ],
    ['deep nesting', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, /"a" is no setting/],
    [
      'many unknown names',
      json(Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`key${i}`, i]))),
      /"key0" is no setting.*; 1980 more/,
    ],
    ['a hostile name', json({ 'x\u001b[2J\u202e': 1 }), /"x\?\[2J\?" is no setting/],
  ])('%s', async (_name, content, says) => {
    const { message } = await refusal({ ...site, 'veren.json': content });
    expect(message).toMatch(says);
    expect(message.length).toBeLessThan(10_000);
  });

  test('a byte order mark and the address of the schema are no faults', async () => {
    const plan = await detect({
      ...site,
      'veren.json': '\ufeff{"$schema":"http://127.0.0.1:3000/veren.schema.json"}\r\n',
    });
    expect(plan.frontend).toBeDefined();
  });
});

describe('a file cannot reach what protects the owner', () => {
  test('a token is not used for submodules that only the file asks for', async () => {
    const files = { ...site, sub: { kind: 'submodule' } as const, ...file({ git: { submodules: true, lfs: true } }) };
    const plan = await detect(files, { hasToken: true });
    expect(plan.git).toEqual({ lfs: true });
    expect(plan.warnings).toContainEqual(expect.stringContaining('"git.submodules" was left out'));
    expect((await detect(files, { hasToken: true, git: { submodules: true } })).git).toMatchObject({
      submodules: true,
    });
    expect((await detect({ ...site, ...file({ git: { submodules: true } }) }, { hasToken: true })).git).toBeUndefined();
  });
  test.each([
    ['the root', '', ''],
    ['the folder of the target', 'apps/web/', 'apps/web'],
  ])('a proposal of strangers cannot allow secrets: %s', async (_name, at, path) => {
    const files = { ...(path ? monorepo : site), [`${at}veren.json`]: json({ frontend: { allowSecrets: ['x/'] } }) };
    const frontend = path ? { path } : {};
    const plan = await detect(files, { lane: 'untrusted', frontend });
    expect(plan.frontend?.allowSecrets).toBeUndefined();
    expect(plan.warnings).toContainEqual(expect.stringContaining('"allowSecrets" was left out'));
    expect((await detect(files, { lane: 'preview', frontend })).frontend?.allowSecrets).toEqual(['x/']);
    const asked = await detect(files, { lane: 'untrusted', frontend: { ...frontend, allowSecrets: ['y'] } });
    expect(asked.frontend?.allowSecrets).toEqual(['y']);
  });
});

test('a target that the file describes and nobody finds is said', async () => {
  const plan = await detect({ 'index.html': '', ...file({ backend: { nodeVersion: 22 } }) });
  expect(plan.warnings).toContainEqual(expect.stringMatching(/veren\.json describes a backend, and none was found/));
});

test('docs/veren-json.md names every setting of the schema', () => {
  const page = readFileSync(join(__dirname, '../../../../../../docs/veren-json.md'), 'utf8');
  const missing: string[] = [];
  interface Node {
    readonly properties?: Record<string, Node>;
    readonly anyOf?: readonly Node[];
  }
  const walk = (node: Node, at: string) => {
    for (const [name, child] of Object.entries(
      node.properties ?? node.anyOf?.find((b) => b.properties)?.properties ?? {},
    )) {
      if (!page.includes(`\`${at}${name}\``)) missing.push(at + name);
      walk(child, `${at}${name}.`);
    }
  };
  walk(describeSettingsFile() as Node, '');
  expect(missing).toEqual([]);
});

describe('the runtime and its earlier name are one choice', () => {
  test('a request that names one is not mixed with a file that names the other', async () => {
    const stated = { ...site, ...file({ frontend: { nodeVersion: 18 } }) };
    const plan = await detect(stated, { frontend: { runtime: { name: 'node', version: '24' } } });
    expect(plan.frontend).toMatchObject({ nodeVersion: 24, runtime: { name: 'node', version: '24' } });
    const other = { ...site, ...file({ frontend: { runtime: { name: 'node', version: '24' } } }) };
    expect((await detect(other, { frontend: { nodeVersion: 22 } })).frontend).toMatchObject({ nodeVersion: 22 });
  });
  test('a folder cannot be built with the runtime of another language', async () => {
    const api: Files = {
      'api/requirements.txt': 'fastapi',
      'api/main.py': 'from fastapi import FastAPI\napp = FastAPI()',
    };
    const settings = (runtime: object): Files => ({ ...api, 'api/veren.json': json({ backend: { runtime } }) });
    expect((await refusal(settings({ name: 'go', version: '1.26' }))).message).toContain('"backend.runtime" is go');
    expect((await detect(settings({ name: 'python', version: '3.12' }))).backend).toMatchObject({
      runtime: { name: 'python', version: '3.12' },
    });
  });
  test('a folder’s own file does not leave out what the request asks for there', async () => {
    const files: Files = {
      'web/package.json': vite,
      'web/index.html': '',
      'web/veren.json': json({ frontend: false }),
    };
    expect((await detect(files, { path: 'web', frontend: {} })).frontend).toMatchObject({ path: 'web' });
  });
});

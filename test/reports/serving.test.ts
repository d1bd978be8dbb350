import { mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeploymentView } from '../../contract/api.ts';
import { makeRepo } from '../support/gitServer.ts';
import { startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

/** What users of other systems reported of rules files, charsets and routes, deployed and fetched as they would. */
let veren: Veren;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let record: DeploymentView;

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, 'repos'));
  veren = await startVeren(join(folder.path, 'data'));
  const { path } = makeRepo(join(folder.path, 'repos', 'rules'), {
    'index.html': '<h1>front</h1>',
    'llms.txt': 'x',
    'assets/a.css': 'body{}',
    'assets/deep/b.txt': 'deep',
    'assets/tool.cjs': 'module.exports = 1',
    'docs/page.html': '<p>d</p>',
    'data.json': '{}',
    'old.html': '<meta charset="windows-1251"><p>old</p>',
    _headers: `/*
  X-All: yes
/*.txt
  X-Txt: yes
/assets/*.css
  X-Css: yes
/*/b.txt
  X-Mid: yes
/data.json
  Access-Control-Allow-Origin: *
  Set-Cookie: a=1
  Set-Cookie: b=2
/secret
  Basic-Auth: me:you
`,
    _redirects: `/old/*.html /docs/:splat 301
/img/* /assets/:splat 200
/feed-* /data.json 302
/ /de 302 Country=de
`,
  });
  record = await veren.deploy({ projectId: 'rules', gitUrl: pathToFileURL(path).href });
}, 300_000);

afterAll(async () => {
  expect(await veren.stop()).toBe(0);
  await folder.remove();
}, 60_000);

interface Answer {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}
/** By the site's own host name, which Node's resolver does not know. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const artifact = record.builds.frontend?.artifact;
  if (artifact?.kind !== 'static') throw new Error(`no site: ${JSON.stringify(record)}`);
  const { port } = new URL(artifact.url);
  return new Promise((done, failed) => {
    const options = { host: '127.0.0.1', port, path, method, headers: { host: `rules.localhost:${port}`, ...headers } };
    const asked = request(options, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, body }));
    });
    asked.on('error', failed).end();
  });
}

it('honours wildcards anywhere, and keeps cookies apart', async () => {
  expect((await get('/llms.txt')).headers).toMatchObject({ 'x-all': 'yes', 'x-txt': 'yes' });
  expect((await get('/assets/a.css')).headers).toMatchObject({ 'x-css': 'yes' });
  expect((await get('/assets/deep/b.txt')).headers).toMatchObject({ 'x-txt': 'yes', 'x-mid': 'yes' });
  expect((await get('/data.json')).headers).toMatchObject({
    'access-control-allow-origin': '*',
    'set-cookie': ['a=1', 'b=2'],
  });
  expect((await get('/feed-atom')).headers.location).toBe('/data.json');
  expect((await get('/old/page.html')).headers.location).toBe('/docs/page');
  expect((await get('/img/deep/b.txt')).body).toBe('deep');
});

it('says what it does not honour', async () => {
  const lines = (await veren.logs(record.deploymentId)).map(({ line }) => line);
  expect(lines).toContainEqual(
    expect.stringMatching(/^Warning: _headers line 14 has no effect: Basic-Auth is for the server to set: Basic-Auth$/),
  );
  expect(lines).toContainEqual(expect.stringMatching(/^Warning: _redirects line 4 has no effect: conditions/));
  expect(lines.filter((line) => line.startsWith('Warning: _'))).toHaveLength(2);
});

it('gives the charset that a page declares, scripts as scripts, routes with a dot, and no part of a HEAD', async () => {
  expect((await get('/old.html')).headers['content-type']).toBe('text/html; charset=windows-1251');
  expect((await get('/assets/tool.cjs')).headers['content-type']).toBe('text/javascript; charset=utf-8');
  expect((await get('/user/jane.doe', { accept: 'text/html' })).body).toBe('<h1>front</h1>');
  expect((await get('/assets/x.js', { accept: 'text/html' })).status).toBe(404);
  expect((await get('/llms.txt', { range: 'bytes=0-0' }, 'HEAD')).status).toBe(200);
});

import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRules } from '../../builder-images/builder-image-frontend/utils/rule-warnings.ts';
import { removeFolders, temporaryFolder } from '../support/folders.ts';

afterAll(removeFolders);

/** In halves, so that no scanner takes this file for a leak. */
const TOKEN = `ghp_${'a8Kd0sLq3ZxW7vBn2mTy6RfC1hGj9UpE4oIt'}`;

function fileOf(name: string, content: string) {
  const source = join(temporaryFolder(), name);
  writeFileSync(source, content);
  return { path: name, source, size: statSync(source).size };
}

const warningsOf = async (...files: Parameters<typeof readRules>[0]) => (await readRules(files)).warnings;

test('what is told of a line that has no effect holds no key of it', async () => {
  const proxies = `/a/* https://api.example.net/:splat?key=hunter2secret 200
/b/* https://me:hunter2secret@api.example.net/:splat 200
/c/* https://api.example.net/${TOKEN}/:splat 200
/d/* https://api.example.net/:splat 200`;
  const redirects = await warningsOf(fileOf('_redirects', proxies));
  expect(redirects.join('\n')).not.toMatch(/hunter2secret|ghp_/);
  const reason = 'has no effect: proxying to another server is not supported';
  expect(redirects).toEqual([
    `_redirects line 1 ${reason}: /a/* https://api.example.net/:splat?… 200`,
    `_redirects line 2 ${reason}: /b/* https://…@api.example.net/:splat 200`,
    `_redirects line 3 ${reason}`,
    `_redirects line 4 ${reason}: /d/* https://api.example.net/:splat 200`,
  ]);
  const headers = await warningsOf(fileOf('_headers', `${TOKEN}\n`));
  expect(headers).toEqual(['_headers line 1 has no effect: no path stands above it']);
});

test.each([
  ['nothing', undefined, undefined, undefined],
  ['rules for what has no file', '/a /b\n/* /index.html 200', undefined, 'after'],
  ['a forced rule', '/a /b\n/c /d 301!', undefined, 'first'],
  ['headers', undefined, '/*\n  X-A: b', 'first'],
  ['redirects without effect alone', '/a /b Country=de', undefined, undefined],
  ['a comment', '# none', '# none', undefined],
])('when the rules have a say: %s', async (_, redirects, headers, order) => {
  const files = [
    ...(redirects === undefined ? [] : [fileOf('_redirects', redirects)]),
    ...(headers === undefined ? [] : [fileOf('_headers', headers)]),
  ];
  expect((await readRules(files)).order).toBe(order);
});

test('a file that no headers can be sent with is named, and one that none are meant for is not', async () => {
  const headers = fileOf('_headers', '/*.wasm\n  Cross-Origin-Embedder-Policy: require-corp\n');
  const large = (path: string) => ({ path, source: '/nowhere', size: 5_000_000 });
  expect(await warningsOf(headers, large('game.wasm'), large('film.mp4'), { ...large('s.wasm'), size: 10 })).toEqual([
    '_headers has no effect on files of more than 4194304 bytes: game.wasm',
  ]);
});

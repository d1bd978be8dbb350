import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ruleWarnings } from '../../builder-images/builder-image-frontend/utils/rule-warnings.ts';
import { removeFolders, temporaryFolder } from '../support/folders.ts';

afterAll(removeFolders);

/** In halves, so that no scanner takes this file for a leak. */
const TOKEN = `ghp_${'a8Kd0sLq3ZxW7vBn2mTy6RfC1hGj9UpE4oIt'}`;

function fileOf(name: string, content: string) {
  const source = join(temporaryFolder(), name);
  writeFileSync(source, content);
  return { path: name, source, size: statSync(source).size };
}

test('what is told of a line that has no effect holds no key of it', async () => {
  const proxies = `/a/* https://api.example.net/:splat?key=hunter2secret 200
/b/* https://me:hunter2secret@api.example.net/:splat 200
/c/* https://api.example.net/${TOKEN}/:splat 200
/d/* https://api.example.net/:splat 200`;
  const redirects = await ruleWarnings([fileOf('_redirects', proxies)], true);
  expect(redirects.join('\n')).not.toMatch(/hunter2secret|ghp_/);
  const reason = 'has no effect: proxying to another server is not supported';
  expect(redirects).toEqual([
    `_redirects line 1 ${reason}: /a/* https://api.example.net/:splat?… 200`,
    `_redirects line 2 ${reason}: /b/* https://…@api.example.net/:splat 200`,
    `_redirects line 3 ${reason}`,
    `_redirects line 4 ${reason}: /d/* https://api.example.net/:splat 200`,
  ]);
  const headers = await ruleWarnings([fileOf('_headers', `${TOKEN}\n`)], true);
  expect(headers).toEqual(['_headers line 1 has no effect: no path stands above it']);
});

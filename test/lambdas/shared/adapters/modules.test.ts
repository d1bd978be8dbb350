import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '../../../../lambdas/shared/adapters');

test('every adapter can be loaded as the ES module that it is', async () => {
  // Jest runs CommonJS, which does not see that a CommonJS package lacks an export of that name for ES modules.
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(20);
  const imports = files.map((f) => `await import(${JSON.stringify(pathToFileURL(join(ROOT, f)).href)});`).join('\n');
  const args = ['--import', 'tsx', '--input-type=module', '-e', `${imports}\nconsole.log('loaded');`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toBe('loaded\n');
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { useWorld } from '../builder-images/bundle.ts';
import { repository } from '../builder-images/harness.ts';
import { describeWith, tooSlow } from '../support/engines.ts';

/** A site of Next.js 14 that reads its content from a server while it is built. Its packages come from the npm registry. */
describeWith(tooSlow, 'content that a build fetches', () => {
  const world = useWorld();
  let title = 'FIRST';
  let asked = 0;
  let server: Server;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      asked++;
      response.end(title);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  function site() {
    const { port } = server.address() as AddressInfo;
    const lock = join(world().dir, 'lock');
    const dependencies = { next: '14.2.15', react: '18.3.1', 'react-dom': '18.3.1' };
    const manifest = JSON.stringify({ name: 'cms', private: true, scripts: { build: 'next build' }, dependencies });
    mkdirSync(lock);
    writeFileSync(join(lock, 'package.json'), manifest);
    execFileSync('npm', ['install', '--package-lock-only', '--no-audit'], { cwd: lock, stdio: 'ignore' });
    return repository(join(world().dir, 'repos/cms'), {
      'package.json': manifest,
      'package-lock.json': readFileSync(join(lock, 'package-lock.json')),
      'next.config.js': "module.exports = { output: 'export' }\n",
      'app/layout.jsx': 'export default ({ children }) => <html><body>{children}</body></html>\n',
      'app/page.jsx': `export default async function Page() {
  const answer = await fetch('http://127.0.0.1:${port}/title');
  return <h1>content: {await answer.text()}</h1>;
}\n`,
      '.gitignore': 'node_modules\n.next\nout\n',
    });
  }

  test('is fetched again by the next deployment of the same commit, which has the compiled code and packages of the first', async () => {
    const source = { projectId: 'cms', ...site() };
    const deploy = async () => {
      const built = await world().build(source, {
        INSTALLCOMMAND: 'npm ci',
        BUILDCOMMAND: 'npm run build',
        OUTPUT_DIR: 'out',
        PACKAGE_MANAGER: 'npm',
        BUILD_TIMEOUT: '300',
      });
      expect([built.code, built.log]).toEqual([0, expect.any(String)]);
      return { log: built.log, id: built.id, page: (await world().page('cms', 'index.html')).text };
    };
    const first = await deploy();
    expect(first.page).toMatch(/content: (?:<!-- -->)?FIRST/);
    const before = asked;
    title = 'SECOND';
    const second = await deploy();
    expect(second.page).toMatch(/content: (?:<!-- -->)?SECOND/);
    expect(asked).toBeGreaterThan(before);
    expect(second.log).toContain(`Restored what "npm ci" made of the same lockfile in deployment ${first.id}`);
    expect(second.log).toMatch(/is at hand: \.next\/cache\/webpack/);
  }, 600_000);
});

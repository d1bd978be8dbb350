import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DeploymentView } from '../../contract/api.ts';
import { makeRepositoryFromFolder } from '../../local/client/makeRepositoryFromFolder.ts';
import { engineEnvironment, missingContainerEngine } from '../support/containerEngine.ts';
import { askHost, productionUrl } from '../support/deployServer.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { eventually } from '../support/eventually.ts';
import { exampleRepository, HOST_NODE, usePlatform } from '../support/veren.ts';

const json = (value: unknown) => JSON.stringify(value);

/** In the world of `.ci/service-images` there is an engine, and each becomes an image and a container. */
const engine = missingContainerEngine() === null ? engineEnvironment() : null;
const [kind, how] = engine ? ['image', 'containers'] : ['folder', 'processes'];

/** Frameworks on a machine with Node and git only: each is deployed by HTTP and answers at its project's address. */
describeWith(tooSlow, `backends of frameworks, as ${how}`, () => {
  const platform = usePlatform(engine ?? { VEREN_CONTAINER_ENGINE: 'none' });

  const deployed = async (projectId: string, gitUrl: string): Promise<DeploymentView> => {
    const record = await platform.veren.deploy({ projectId, gitUrl, frontend: false, backend: HOST_NODE });
    expect([projectId, record.status, record.error]).toEqual([projectId, 'succeeded', undefined]);
    expect(record.builds.backend?.artifact).toMatchObject({ kind });
    expect(record.service).toMatchObject({ state: 'running', isProduction: true });
    return record;
  };
  async function deployFiles(projectId: string, files: Readonly<Record<string, string>>): Promise<string> {
    const source = join(platform.folder, `${projectId}-source`);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(source, name)), { recursive: true });
      await writeFile(join(source, name), text);
    }
    const { url } = await makeRepositoryFromFolder(source, join(platform.folder, projectId));
    return productionUrl(await deployed(projectId, url));
  }

  test.each([
    ['express-npm', '/healthz', '{"ok":true}'],
    ['fastify-ts-pnpm', '/healthz', '{"ok":true}'],
  ])(
    'the example %s',
    async (example, path, body) => {
      const record = await deployed(example, await exampleRepository(example, platform.folder));
      expect(await askHost(productionUrl(record), path)).toEqual({ status: 200, body });
    },
    900_000,
  );

  test('Hono, and a call by schedule at its minute', async () => {
    const url = await deployFiles('hono', {
      'package.json': json({
        ...{ private: true, type: 'module', scripts: { start: 'node server.js' } },
        dependencies: { hono: '^4.6.0', '@hono/node-server': '^1.13.0' },
      }),
      'server.js': `import { serve } from '@hono/node-server';
import { Hono } from 'hono';
let ticks = 0;
const app = new Hono();
app.get('/', (c) => c.text('hono ' + ticks));
app.get('/tick', (c) => c.text(String(c.req.header('x-veren-cron') ? ++ticks : 'nobody')));
serve({ fetch: app.fetch, port: Number(process.env.PORT) });
`,
    });
    expect(await askHost(url, '/')).toEqual({ status: 200, body: 'hono 0' });
    expect((await askHost(url, '/tick')).body).toBe('nobody');
    const { veren } = platform;
    await fetch(`${veren.url}/projects/hono`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${veren.token}`, 'content-type': 'application/json' },
      body: json({ crons: [{ schedule: '* * * * *', path: '/tick' }] }),
    });
    await eventually(async () => (await askHost(url, '/')).body === 'hono 1', { withinMs: 120_000 });
  }, 900_000);

  test('Nest', async () => {
    const url = await deployFiles('nest', {
      'package.json': json({
        ...{ private: true, scripts: { build: 'tsc', start: 'node dist/main.js' } },
        dependencies: {
          ...{ '@nestjs/common': '^11.0.0', '@nestjs/core': '^11.0.0', '@nestjs/platform-express': '^11.0.0' },
          ...{ 'reflect-metadata': '^0.2.2', rxjs: '^7.8.1' },
        },
        devDependencies: { typescript: '~5.9.0', '@types/node': '^22.0.0' },
      }),
      'tsconfig.json': json({
        compilerOptions: {
          ...{ module: 'commonjs', target: 'es2022', outDir: 'dist', rootDir: 'src', skipLibCheck: true },
          ...{ emitDecoratorMetadata: true, experimentalDecorators: true, esModuleInterop: true },
        },
        include: ['src'],
      }),
      'src/main.ts': `import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
@Controller()
class Home {
  @Get()
  home(): string { return 'nest'; }
}
@Module({ controllers: [Home] })
class App {}
void NestFactory.create(App).then((app) => app.listen(Number(process.env.PORT)));
`,
    });
    expect(await askHost(url, '/')).toEqual({ status: 200, body: 'nest' });
  }, 900_000);

  test('Next.js, which renders each request', async () => {
    const url = await deployFiles('next', {
      'package.json': json({
        ...{ private: true, scripts: { build: 'next build', start: 'next start' } },
        dependencies: { next: '15.5.29', react: '19.3.1', 'react-dom': '19.3.1' },
      }),
      'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>;\n',
      'app/page.js': `import { headers } from 'next/headers';
export default async () => <h1>{'at ' + (await headers()).get('x-forwarded-host')}</h1>;
`,
      'app/api/sum/route.js':
        "export const GET = (q) => Response.json({ sum: new URL(q.url).searchParams.getAll('n').map(Number).reduce((a, b) => a + b, 0) });\n",
      'public/robots.txt': 'User-agent: *\n',
    });
    expect((await askHost(url, '/')).body).toContain(`at ${new URL(url).host}`);
    expect((await askHost(url, '/api/sum?n=2&n=3')).body).toBe('{"sum":5}');
    expect((await askHost(url, '/robots.txt')).body).toBe('User-agent: *\n');
  }, 900_000);

  test('Astro with the adapter for Node', async () => {
    const url = await deployFiles('astro', {
      'package.json': json({
        ...{ private: true, type: 'module', scripts: { dev: 'astro dev', build: 'astro build' } },
        dependencies: { astro: '5.9.4', '@astrojs/node': '9.2.2' },
      }),
      'astro.config.mjs': `import node from '@astrojs/node';
import { defineConfig } from 'astro/config';
export default defineConfig({ output: 'server', adapter: node({ mode: 'standalone' }) });
`,
      'src/pages/index.astro': '---\nconst { pathname } = Astro.url;\n---\n<h1>asked for {pathname}</h1>\n',
      'src/pages/fixed.astro': '---\nexport const prerender = true;\n---\n<p>made at the build</p>\n',
    });
    expect((await askHost(url, '/')).body).toContain('asked for /');
    expect((await askHost(url, '/fixed')).body).toContain('made at the build');
  }, 900_000);

  test(engine ? 'FastAPI' : 'FastAPI is refused before the fetch: a process of its own takes Node', async () => {
    const source = join(platform.folder, 'fastapi-source');
    await mkdir(source);
    await writeFile(join(source, '.python-version'), '3.11\n');
    await writeFile(join(source, 'requirements.txt'), 'fastapi==0.115.6\n');
    await writeFile(
      join(source, 'main.py'),
      "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef home():\n    return {'fast': 'api'}\n",
    );
    const { url: gitUrl } = await makeRepositoryFromFolder(source, join(platform.folder, 'fastapi'));
    const record = await platform.veren.deploy({ projectId: 'fastapi', gitUrl, frontend: false });
    if (engine) {
      expect([record.status, record.error]).toEqual(['succeeded', undefined]);
      expect(await askHost(productionUrl(record), '/')).toEqual({ status: 200, body: '{"fast":"api"}' });
    } else expect(record.error?.code).toBe('NO_CONTAINER_BUILDER');
  }, 900_000);
});

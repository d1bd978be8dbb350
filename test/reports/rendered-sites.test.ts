import { describeWith, tooSlow } from '../support/engines.ts';
import { missingServiceImages, useServices } from '../support/serviceImages.ts';

const json = (value: unknown) => JSON.stringify(value);

/** Sites that are rendered on a server, each deployed by HTTP from its URL alone and started as a container. */
describeWith(tooSlow ?? missingServiceImages(), 'sites that are rendered on a server', () => {
  const { serve } = useServices();
  const textOf = async (url: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(url, { headers });
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  };

  test('Next.js: one target, which renders each request and serves its assets', async () => {
    const { record, service, answer } = await serve('next', {
      'package.json': json({
        private: true,
        scripts: { build: 'next build', start: 'next start' },
        dependencies: { next: '15.5.29', react: '19.3.1', 'react-dom': '19.3.1' },
      }),
      'app/layout.js':
        "import './style.css';\nexport default ({ children }) => <html><body>{children}</body></html>;\n",
      'app/style.css': 'body { color: rebeccapurple }\n',
      'app/page.js': [
        "import { headers } from 'next/headers';",
        'export default async function Page() {',
        "  return <h1>{'asked by ' + ((await headers()).get('x-visitor') ?? 'nobody') + ', pid ' + process.pid}</h1>;",
        '}',
        '',
      ].join('\n'),
      'app/api/sum/route.js':
        "export const GET = (request) => Response.json({ sum: new URL(request.url).searchParams.getAll('n').map(Number).reduce((a, b) => a + b, 0) });\n",
      'public/robots.txt': 'User-agent: *\n',
    });
    expect(record.plan?.frontend).toBeUndefined();
    expect(record.plan?.backend).toMatchObject({ path: '.', framework: 'nextjs', startCommand: 'npm start' });
    expect(Object.keys(record.builds)).toEqual(['backend']);
    expect(answer).toMatch(/asked by nobody, pid \d+/);
    expect((await textOf(service.url, { 'x-visitor': 'Ada' })).text).toContain('asked by Ada');
    expect((await textOf(`${service.url}api/sum?n=2&n=3`)).text).toBe('{"sum":5}');
    const style = /href="\/(_next\/static\/[^"]+\.css)/.exec(answer)?.[1];
    expect(await textOf(service.url + style)).toMatchObject({ status: 200, type: expect.stringMatching(/^text\/css/) });
    const script = /src="\/(_next\/static\/[^"]+\.js)/.exec(answer)?.[1];
    expect(await textOf(service.url + script)).toMatchObject({ status: 200 });
    expect((await textOf(`${service.url}robots.txt`)).text).toBe('User-agent: *\n');
  }, 900_000);

  test('Astro with the adapter for Node: one target, without a start script', async () => {
    const { record, service, answer } = await serve('astro', {
      'package.json': json({
        private: true,
        type: 'module',
        scripts: { dev: 'astro dev', build: 'astro build' },
        dependencies: { astro: '5.9.4', '@astrojs/node': '9.2.2' },
      }),
      'astro.config.mjs': [
        "import node from '@astrojs/node';",
        "import { defineConfig } from 'astro/config';",
        "export default defineConfig({ output: 'server', adapter: node({ mode: 'standalone' }) });",
        '',
      ].join('\n'),
      'src/pages/index.astro': [
        '---',
        "const visitor = Astro.request.headers.get('x-visitor') ?? 'nobody';",
        '---',
        '<html><head><title>x</title></head><body><h1>asked by {visitor}</h1></body></html>',
        '<style>h1 { color: rebeccapurple }</style>',
        '',
      ].join('\n'),
      'src/pages/fixed.astro': '---\nexport const prerender = true;\n---\n<p>made at the build</p>\n',
      'public/robots.txt': 'User-agent: *\n',
    });
    expect(record.plan?.frontend).toBeUndefined();
    expect(record.plan?.backend).toMatchObject({
      path: '.',
      framework: 'astro',
      startCommand: 'node dist/server/entry.mjs',
    });
    expect(Object.keys(record.builds)).toEqual(['backend']);
    expect(answer).toContain('asked by nobody');
    expect((await textOf(service.url, { 'x-visitor': 'Ada' })).text).toContain('asked by Ada');
    expect((await textOf(`${service.url}fixed`)).text).toContain('made at the build');
    expect((await textOf(`${service.url}robots.txt`)).text).toBe('User-agent: *\n');
  }, 900_000);
});

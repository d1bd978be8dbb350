import { describeWith, tooSlow } from '../support/engines.ts';
import { missingServiceImages, useServices } from '../support/serviceImages.ts';

const SERVER =
  "require('node:http').createServer((q, r) => r.end(JSON.stringify({ uid: process.getuid(), env: process.env, files: require('node:fs').readdirSync('.') }))).listen(process.env.PORT, '0.0.0.0');\n// Process 1 gets no signal that it has not asked for.\nprocess.on('SIGTERM', () => process.exit(0));\n";
const DOCKERFILE = [
  'FROM node:20-bullseye AS build',
  'ARG GREETING',
  'WORKDIR /src',
  'COPY . .',
  'RUN echo "built for $GREETING, other: $OTHER." && printf "%s" "$GREETING" >greeting',
  'FROM node:20-bullseye-slim',
  'COPY --from=build /src /srv',
  'WORKDIR /srv',
  'USER node',
  'EXPOSE 8080',
  'ENTRYPOINT ["node"]',
  'CMD ["server.js"]',
  '',
].join('\n');

/** Repositories with a Dockerfile of their own, deployed by HTTP and started as a container. */
describeWith(tooSlow ?? missingServiceImages(), 'a Dockerfile of the repository’s own', () => {
  const { deploy, serve } = useServices();

  test('nothing else is known: it is found, built with its .dockerignore and its ARGs, and answers', async () => {
    const { record, answer, log } = await serve(
      'found',
      {
        Dockerfile: DOCKERFILE,
        'server.js': SERVER,
        'main.rs': '',
        'Cargo.toml': '',
        '.dockerignore': '*.rs\nCargo.toml\nsecret.txt\n',
        'secret.txt': 'not for the image',
      },
      { env: { GREETING: 'a-greeting-of-the-user', OTHER: 'never-shown-to-it' } },
    );
    expect(record.plan?.backend).toMatchObject({
      dockerfile: 'Dockerfile',
      port: 8080,
      runtime: { name: 'docker', version: null },
    });
    expect(record.plan?.warnings).toEqual([]);
    expect(record.builds.backend).toMatchObject({ status: 'succeeded', runtime: { name: 'docker' } });
    const told = JSON.parse(answer) as { uid: number; env: Record<string, string>; files: string[] };
    expect(told).toMatchObject({ uid: 1000, files: ['.dockerignore', 'Dockerfile', 'greeting', 'server.js'] });
    expect(log).toContain('built for ***, other: .');
    expect(log).toContain('By ARG it gets GREETING.');
    expect(`${answer}${log}`).not.toContain('never-shown-to-it');
    expect(Object.keys(told.env).filter((name) => /^(?:AWS|KAFKA|VEREN)_/.test(name))).toEqual([]);
  }, 600_000);

  test('asked for by the request, beside a service that would be detected', async () => {
    const { record, answer } = await serve(
      'asked',
      {
        'package.json': JSON.stringify({ scripts: { start: 'node other.js' }, dependencies: { express: '4' } }),
        'deploy/web.Dockerfile':
          'FROM node:20-bullseye-slim\nWORKDIR /srv\nCOPY server.js .\nUSER node\nENTRYPOINT ["node"]\nCMD ["server.js"]\n',
        'server.js': SERVER,
      },
      { backend: { dockerfile: 'deploy/web.Dockerfile' } },
    );
    expect(JSON.parse(answer)).toMatchObject({ uid: 1000, files: ['server.js'] });
    expect(record.plan?.backend?.evidence).toContainEqual(
      expect.objectContaining({ field: 'dockerfile', value: 'deploy/web.Dockerfile', rule: 'request' }),
    );
  }, 600_000);

  test('what fails says where: a step, a file that is not there', async () => {
    const step = await deploy('step', { Dockerfile: 'FROM node:20-bullseye-slim\nRUN echo before && exit 7\n' });
    expect(step.record.builds.backend?.error).toMatchObject({
      code: 'DOCKERFILE_STEP_FAILED',
      phase: 'build',
      exitCode: 7,
      message: expect.stringContaining('RUN echo before && exit 7'),
    });
    expect(step.log).toContain('before');
    const missing = await deploy('missing', { 'index.js': '' }, { backend: { dockerfile: 'Dockerfile' } });
    expect(missing.record.error?.code).toBe('DOCKERFILE_INVALID');
  }, 600_000);
});

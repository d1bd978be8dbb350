import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, tooSlow } from '../support/engines.ts';
import { DockerfileWorld } from './dockerfileWorld.ts';
import { missingKaniko } from './kanikoWorld.ts';

const SERVER = `require('node:http').createServer((q, r) => r.end(process.env.GREETING + ' ' + process.getuid())).listen(process.env.PORT)`;

describeWith(tooSlow ?? missingKaniko(), 'a repository with its own Dockerfile, in a task with two containers', () => {
  let kaniko: DockerfileWorld;
  beforeAll(async () => {
    kaniko = await new DockerfileWorld().start();
  }, 60_000);
  afterAll(() => kaniko.close());

  test('stages, build arguments, .dockerignore, ports; the image is pushed and answers', async () => {
    const built = await kaniko.buildOwn(
      {
        'docker/api.Dockerfile': [
          'ARG VERSION=20',
          'FROM node:$VERSION-bullseye AS build',
          'ARG GREETING',
          'ARG UNKNOWN',
          'WORKDIR /src',
          'COPY . .',
          'RUN echo "in the build: $GREETING $UNKNOWN. $(id -u)" && ls -A >files && env | sort >env && git --version || true',
          'FROM node:$VERSION-bullseye-slim',
          'ARG GREETING',
          'ENV GREETING=$GREETING',
          'COPY --from=build /src /app',
          'USER node',
          'WORKDIR /app',
          'EXPOSE 8080',
          'ENTRYPOINT ["node"]',
          'CMD ["server.js"]',
        ].join('\n'),
        'server.js': SERVER,
        '.dockerignore': 'secret.txt\n*.md\n',
        'secret.txt': 'not for the image',
        'notes.md': 'not either',
      },
      {
        dockerfile: 'docker/api.Dockerfile',
        env: { BUILD_ENV: JSON.stringify({ GREETING: 'hello-there', OTHER: 'never-named-value' }) },
      },
    );
    if (built.code !== 0) throw new Error([built.output, built.isolated.output, built.log.slice(-4_000)].join('\n'));
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(built.log).toContain('$ RUN echo');
    // A variable of the build is masked, whoever prints it.
    expect(built.log).toContain('in the build: *** . 0');
    const image = kaniko.pull(built.tag);
    expect(readFileSync(join(image.root, 'app/files'), 'utf8').split('\n').filter(Boolean).sort()).toEqual([
      '.dockerignore',
      'docker',
      'files',
      'server.js',
    ]);
    expect(readFileSync(join(image.root, 'app/env'), 'utf8')).not.toMatch(/never-named-value|AWS_|KAFKA_|VEREN_/);
    expect(JSON.stringify(image.config)).not.toContain('never-named-value');
    const running = await kaniko.run(image);
    expect(running.answer).toEqual({ status: 200, body: 'hello-there 1000' });
    process.kill(-running.child.pid!, 'SIGKILL');
    // The trusted container started none of it, and kept none of it.
    expect(built.changes.filter((file) => /server\.js|^\.\/(?:app|src)\//.test(file))).toEqual([]);
  }, 240_000);

  test.each([
    [
      'a step fails',
      'FROM node:20-bullseye-slim\nRUN echo trying && exit 3\n',
      'DOCKERFILE_STEP_FAILED',
      /RUN echo trying/,
    ],
    ['it cannot be parsed', 'FROM node:20-bullseye-slim\nRUNN x\n', 'DOCKERFILE_INVALID', /unknown instruction/i],
    [
      'its base image does not exist',
      'FROM REGISTRY/library/node:no-such-tag\nCMD ["x"]\n',
      'DOCKERFILE_BASE_MISSING',
      /no-such-tag/,
    ],
    ['it has no FROM', 'RUN echo\n', 'DOCKERFILE_INVALID', /no FROM/],
    [
      'what it copies is not there',
      'FROM node:20-bullseye-slim\nCOPY nothing /x\n',
      'DOCKERFILE_STEP_FAILED',
      /nothing/,
    ],
  ])(
    '%s',
    async (_, Dockerfile, code, message) => {
      const built = await kaniko.buildOwn({ Dockerfile: Dockerfile.replace('REGISTRY', kaniko.registry) });
      expect(built.last).toMatchObject({
        type: 'build.failed',
        error: { code, message: expect.stringMatching(message) },
      });
    },
    120_000,
  );
});

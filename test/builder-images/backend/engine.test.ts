import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../harness.ts';

const ENGINE = pathToFileURL(join(ROOT, 'builder-images/build-image-backend/utils/engine.ts')).href;

test('an engine has the person’s own home, where its images are, and nothing that is secret', () => {
  const secrets = ['AWS_SECRET_ACCESS_KEY', 'KAFKA_PASSWORD', 'EVENT_SIGNING_KEY', 'HANDOVER_URL', 'GIT_TOKEN'];
  const raw = { HOME: '/data/work', PATH: '/usr/bin', DOCKER_HOST: 'unix:///d' };
  const given = { ...raw, ...Object.fromEntries(secrets.map((name) => [name, 'secret'])) };
  const print = `import { engineEnv } from '${ENGINE}'; console.log(JSON.stringify(engineEnv(${JSON.stringify(given)})))`;
  // Of a process of its own, whose HOME is the one that the builder gives itself.
  const told = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', print], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: '/work/control' },
  });
  expect(JSON.parse(told)).toEqual({
    HOME: userInfo().homedir,
    PATH: '/usr/bin',
    DOCKER_HOST: 'unix:///d',
    LC_ALL: 'C',
    DOCKER_BUILDKIT: '1',
  });
});

import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { engineEnv, engineVariables } from '../../../builder-images/build-image-backend/utils/engine.ts';
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

test('what the person has set for the engine reaches it from the start of the platform on, with the home of that start', () => {
  const settings = {
    DOCKER_HOST: 'unix:///d',
    DOCKER_CONTEXT: 'colima',
    DOCKER_CONFIG: '/home/me/.docker-other',
    CONTAINERS_STORAGE_CONF: '/s',
    CONTAINERS_REGISTRIES_CONF: '/r',
    STORAGE_DRIVER: 'vfs',
    STORAGE_OPTS: 'x',
    BUILDAH_ISOLATION: 'chroot',
    XDG_RUNTIME_DIR: '/run/user/1000',
    XDG_DATA_HOME: '/data',
    REGISTRY_AUTH_FILE: '/a',
  };
  const host = {
    ...settings,
    HOME: '/home/me',
    AWS_SECRET_ACCESS_KEY: 's',
    VEREN_TOKEN: 't',
    DOCKER_AUTH_CONFIG: '{}',
  };
  const given = engineVariables(host);
  expect(given).toEqual({ ...settings, VEREN_ENGINE_HOME: '/home/me' });
  // As the builder has them, whose own HOME is another one.
  const env = engineEnv({ ...given, HOME: '/data/work', PATH: '/usr/bin', EVENT_SIGNING_KEY: 'k' });
  expect(env).toEqual({ ...settings, HOME: '/home/me', PATH: '/usr/bin', LC_ALL: 'C', DOCKER_BUILDKIT: '1' });
});

import { userInfo } from 'node:os';
import { engineEnv } from '../../../builder-images/build-image-backend/utils/engine.ts';

test('an engine has the person’s own home, where its images are, and nothing that is secret', () => {
  const before = process.env.HOME;
  process.env.HOME = '/work/control'; // as `begin` sets it
  try {
    const secrets = {
      AWS_SECRET_ACCESS_KEY: 's',
      KAFKA_PASSWORD: 's',
      EVENT_SIGNING_KEY: 's',
      HANDOVER_URL: 's',
      GIT_TOKEN: 's',
    };
    expect(engineEnv({ ...secrets, HOME: '/data/work', PATH: '/usr/bin', DOCKER_HOST: 'unix:///d' })).toEqual({
      HOME: userInfo().homedir,
      PATH: '/usr/bin',
      DOCKER_HOST: 'unix:///d',
      LC_ALL: 'C',
      DOCKER_BUILDKIT: '1',
    });
  } finally {
    process.env.HOME = before;
  }
});

import type { ECSClient } from '@aws-sdk/client-ecs';
import { BUILDERS } from '../../../contract/builders.ts';
import { QUEUES } from '../../../contract/names.ts';
import { readECSConfig } from '../../../lambdas/build-worker/config/ECSconfig.ts';
import { type BuildWorkerDeps, drainBuildQueue } from '../../../lambdas/build-worker/workers/build.ts';
import { secretBox } from '../../../lambdas/shared/secretBox.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { frontendPlan } from '../../support/events.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { silentLog } from '../../support/log.ts';
import { SIGNING } from '../../support/signing.ts';

type Answer = { tasks: { taskArn: string }[] } | Error;
const failed = (name: string, rest: object, status: number) =>
  Object.assign(new Error(name), { name, ...rest, $metadata: { httpStatusCode: status, attempts: 1 } });
const started: Answer = { tasks: [{ taskArn: 'arn:task' }] };
/** What ECS says where an earlier call of the token has started the task, whose overrides name another hand-over. */
const conflict = failed('ConflictException', { resourceIds: ['arn:task'] }, 400);
const lost = failed('TimeoutError', {}, 500);

async function handovers(answer: Answer): Promise<string[]> {
  const clock = fakeClock();
  const ports = await openMemoryPlatform({ clock });
  const seen: string[] = [];
  const data = {
    deploymentId: '01a',
    projectId: 'site',
    owner: 'ada',
    target: 'frontend',
    gitUrl: 'https://git.example/a.git',
    commit: 'a'.repeat(40),
    plan: frontendPlan().frontend,
    env: { SECRET: 'x' },
  };
  await ports.queue.enqueue(QUEUES.build, { id: '01a-frontend', owner: 'ada', projectId: 'site', data });
  const table = BUILDERS.flatMap((b) => [
    [b.env.cluster, b.cluster],
    [b.env.task, b.family],
    [b.env.container, b.container],
  ]);
  const deps: BuildWorkerDeps = {
    ...ports,
    clock,
    ecs: {
      async send() {
        if (answer instanceof Error) throw answer;
        return answer;
      },
    } as unknown as ECSClient,
    signPack: async () => undefined,
    readPace: async () => undefined,
    mintCredentials: async () => ({ accessKeyId: 'A', secretAccessKey: 'B', sessionToken: 'C' }),
    configs: readECSConfig(Object.fromEntries(table)),
    limits: { global: 1, perOwner: 1, perProject: 1 },
    network: null,
    spot: false,
    variables: { at: async () => Promise.reject(new Error('there are none')) },
    secretBox: secretBox(async () => ({ current: '1', 'key-1': 'k'.repeat(40) })),
    platform: {
      region: 'ap-south-1',
      bucket: 'b',
      ecrUri: 'registry/images',
      timeoutSeconds: 60,
      kafka: { KAFKA_BROKERS: 'k:9092', KAFKA_SECURITY: 'plaintext' },
      gitProtocols: 'https',
      precompress: false,
      endpoints: {},
    },
    writeHandover: async () => {
      seen.push('written');
      return { url: 'https://b/x', discard: async () => void seen.push('removed') };
    },
    signing: async () => SIGNING,
    log: silentLog,
  };
  await drainBuildQueue(deps);
  await ports.close();
  return seen;
}

describe('a hand-over, which holds every secret of a build,', () => {
  it.each<[string, Answer, string[]]>([
    ['stays for the task that was started with it', started, ['written']],
    ['is removed where the task is one of an earlier call and has its own', conflict, ['written', 'removed']],
    ['stays where nobody knows whether a task was started', lost, ['written']],
    ['is removed where ECS refused', failed('ClientException', {}, 400), ['written', 'removed']],
  ])('%s', async (_, answer, expected) => {
    expect(await handovers(answer)).toEqual(expected);
  });
});

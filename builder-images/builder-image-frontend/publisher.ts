import type { FrontendEnv } from '../../contract/builder-env.ts';
import { kafkaTransport } from '../shared/kafka.ts';
import type { Masker } from '../shared/masker.ts';
import { Reporter } from '../shared/reporter.ts';

/**
 * The frontend builder's voice: its phases and result on `deployment-events`, its output on `build-logs`. Connects in the
 * background; a broker that is away costs log lines at worst, never the build. Trouble goes to our own stderr, once a minute.
 */
export function createPublisher(env: FrontendEnv, mask: Masker, now: () => number): Reporter {
  let told = Number.NEGATIVE_INFINITY;
  return new Reporter({
    identity: {
      deploymentId: env.DEPLOYMENTID,
      projectId: env.PROJECT_ID,
      target: 'frontend',
      attempt: env.ATTEMPT,
    },
    transport: kafkaTransport(env, env.DEPLOYMENTID),
    mask,
    now,
    onTrouble: (error) => {
      if (now() - told < 60_000) return;
      told = now();
      console.error(mask(`veren: the broker does not take messages: ${(error as Error).message}`));
    },
  });
}

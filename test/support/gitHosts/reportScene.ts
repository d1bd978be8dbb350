import type { DeploymentEvent } from '../../../contract/events.ts';
import type { GitConnection, GitHost } from '../../../contract/gitHosts.ts';
import { QUEUES } from '../../../contract/names.ts';
import { deploymentIds } from '../../../lambdas/domain/deploymentIds.ts';
import {
  makeAnalyzedEvent,
  makeAnalyzingEvent,
  makeBuildEvent,
  makeCanceledEvent,
  makeDeploymentFailedEvent,
  makeExpiredEvent,
  makeRequestedEvent,
} from '../../../lambdas/domain/events.ts';
import { applyRecordEffects } from '../../../lambdas/event-projector/effects.ts';
import { rememberConnected } from '../../../lambdas/event-projector/rememberConnected.ts';
import { drainReports } from '../../../lambdas/git-worker/reports/drainReports.ts';
import { openDocuments } from '../../../lambdas/shared/documents.ts';
import { openAppStore } from '../../../lambdas/shared/gitHosts/app/appStore.ts';
import { appTokens } from '../../../lambdas/shared/gitHosts/app/appTokens.ts';
import { openGitSecrets } from '../../../lambdas/shared/gitHosts/gitSecrets.ts';
import { openGitState } from '../../../lambdas/shared/gitHosts/gitState.ts';
import { bindToken } from '../../../lambdas/shared/gitHosts/hostToken.ts';
import { queueHeldReport, queueReport } from '../../../lambdas/shared/gitHosts/queueReport.ts';
import { openLedgers } from '../../../lambdas/shared/gitHosts/reportLedger.ts';
import type { JobQueue } from '../../../lambdas/shared/ports.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import { LAPTOP_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';
import { templateAddresses } from '../../../lambdas/shared/sites/siteAddresses.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { testSecretBox } from '../api.ts';
import { frontendPlan } from '../events.ts';
import { fakeClock } from '../fakeClock.ts';
import { recordingLog } from '../log.ts';
import { memoryS3 } from '../memoryS3.ts';
import { hostDouble, RIGHT_TOKEN } from './hostDouble.ts';

const bucket = 'b';
export const REPOSITORY = 'ada/shop';
export const SHOP = { projectId: 'shop', owner: 'ada' };

export type Step = 'analyzing' | 'analyzed' | 'started' | 'succeeded' | 'failed' | 'canceled' | 'superseded' | 'closed';

/** Deployments of one connected project, from events to what a double of its git host is told; on memory ports. */
export async function reportScene(
  host: GitHost = 'github',
  options: {
    readonly connection?: Partial<GitConnection>;
    readonly token?: string | null;
    /** Where the token was stored for. @default - the repository and the API of the double */
    readonly tokenOf?: Parameters<typeof bindToken>[1];
    readonly protection?: 'link';
    readonly random?: () => number;
    /** For all calls of one report (ms). */
    readonly reportMs?: number;
    readonly wrapQueue?: (queue: JobQueue) => JobQueue;
  } = {},
) {
  const clock = fakeClock();
  const s3 = memoryS3(clock.now);
  const ports = await openMemoryPlatform({ clock });
  const queue = options.wrapQueue?.(ports.queue) ?? ports.queue;
  const projects = openProjectStore({ s3, bucket, clock });
  const documents = openDocuments(s3, bucket);
  const double = await hostDouble(host, { repository: REPOSITORY });
  const { token = RIGHT_TOKEN, protection } = options;
  const connection = { host, repository: REPOSITORY, apiUrl: double.apiUrl, ...options.connection };
  const project = await projects.ensure('shop', 'ada', {
    ...{ gitUrl: 'https://git.example/ada/shop', connection },
    ...(protection && { previews: { protection } }),
  });
  const box = testSecretBox();
  const secrets = openGitSecrets({ documents, box });
  if (token !== null)
    await secrets.change(project, {
      token: bindToken(token, options.tokenOf ?? { gitUrl: 'https://git.example/ada/shop', connection }),
    });
  const gitState = openGitState(documents);
  const connected = { host, repository: connection.repository, gitUrl: 'https://git.example/ada/shop' };
  const { log, lines } = recordingLog();
  const newId = deploymentIds(clock);
  let wakes = 0;
  const waker = { wake: async (name: string) => void (name === 'git-worker' && wakes++) };

  const effects = {
    ...{ queue, store: ports.store, logs: ports.logs, subscriptions: ports.subscriptions, waker, log },
    archive: { writeRecord: async () => undefined } as never,
    archiveLog: async () => undefined,
    notifier: { send: async () => 'sent' as const },
    stopBuilds: async () => undefined,
    isConnected: rememberConnected(projects, clock),
  };
  const apps = openAppStore(documents, box);
  const worker = {
    ...{ queue, store: ports.store, projects, secrets, clock, log },
    gitState,
    ledgers: openLedgers(documents),
    rules: {
      policy: LAPTOP_POLICY,
      apiHosts: [],
      callMs: 2_000,
      ...(options.reportMs && { reportMs: options.reportMs }),
    },
    mintAppToken: appTokens({ apps, rules: { policy: LAPTOP_POLICY, callMs: 2_000 }, clock }),
    siteAddresses: templateAddresses('https://{projectId}.sites.example/'),
    random: options.random,
  };

  async function fold(deploymentId: string, events: DeploymentEvent[]) {
    const folded = await ports.store.fold(deploymentId, events);
    if (folded) await applyRecordEffects(effects, folded.before, folded.after);
  }

  const scene = {
    ...{ clock, ports, queue, projects, double, lines, s3, apps },
    wakes: () => wakes,
    /** A deployment that was asked for. @param fork Number of the pull request, where it is a fork's. */
    async deploy({ isProduction = false, branch = 'topic', fork = 0 } = {}) {
      const deploymentId = newId();
      const deployed = { ...SHOP, deploymentId, gitUrl: 'https://git.example/ada/shop', ref: branch };
      const trigger = { kind: 'pullRequest' as const, number: fork, isFork: true };
      const started = { ...deployed, correlationId: undefined, ...(fork > 0 && { trigger }) };
      const requested = makeRequestedEvent(started, `${deploymentId}-r`, clock.now());
      await ports.store.create({ requested, request: { projectId: 'shop', gitUrl: deployed.gitUrl } });
      await fold(deploymentId, [requested]);
      const environment = isProduction ? ('production' as const) : ('preview' as const);
      const of = { ...SHOP, deploymentId };
      const build = { deploymentId, projectId: 'shop', target: 'frontend' as const, attempt: 1 };
      return {
        deploymentId,
        async step(step: Step, commit = 'a'.repeat(40)) {
          clock.advance(1_000);
          const now = clock.now();
          const artifact = { kind: 'static' as const, bucket, prefix: 'x', files: 1, bytes: 5 };
          const events: Record<Step, () => DeploymentEvent> = {
            analyzing: () => makeAnalyzingEvent(of, now),
            analyzed: () => makeAnalyzedEvent(of, { ...frontendPlan(), commit, environment, branch }, now),
            started: () => makeBuildEvent(build, { type: 'build.started', taskArn: 'arn', nodeVersion: 24 }, now),
            succeeded: () => makeBuildEvent(build, { type: 'build.succeeded', artifact, logLines: 0 }, now),
            failed: () =>
              makeDeploymentFailedEvent(
                of,
                { code: 'BUILD_FAILED', message: 'The build failed: `npm` @everyone' },
                now,
              ),
            canceled: () => makeCanceledEvent(of, [], { reason: 'user' }, now),
            superseded: () => makeCanceledEvent(of, [], { reason: 'superseded', by: 'd' }, now),
            closed: () => makeExpiredEvent(of, 'closed', now),
          };
          await fold(deploymentId, [events[step]()]);
        },
      };
    },
    /** As a delivery does that finds the commit deployed already. */
    showPull: (deploymentId: string, number: number) =>
      queueReport({ queue, waker: waker as never }, { ...SHOP, deploymentId, number, revision: `pull-${number}` }),
    /** A pull request of a fork, as a delivery finds it. */
    async hold(number: number, commit: string) {
      const of = { number, commit, gitUrl: 'https://git.example/eve/shop', from: 'eve/shop', branch: 'x' };
      await gitState.hold(project, connected, { ...of, at: new Date(clock.now()).toISOString() });
      await queueHeldReport({ queue, waker: waker as never, newId }, { ...SHOP, number, commit });
    },
    approve: (number: number) => gitState.release(project, connected, number),
    drain: () => drainReports(worker),
    /** Goes on for as long as jobs wait, which may be until tomorrow. */
    async drainAll(maxHours = 30) {
      const end = clock.now() + maxHours * 3_600_000;
      while (clock.now() < end) {
        await drainReports(worker);
        const waiting = await queue.list(QUEUES.report, 'waiting');
        if (waiting.length === 0) return;
        clock.advance(Math.max(1_000, Math.min(...waiting.map(({ runAt }) => runAt)) - clock.now()));
      }
      throw new Error('jobs still wait');
    },
    /** The newest one. */
    fault: async () => (await projects.get('shop'))?.gitFaults?.[0],
    async close() {
      await double.close();
      await ports.close();
    },
  };
  return scene;
}

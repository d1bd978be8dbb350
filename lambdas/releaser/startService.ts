import type { ServiceJob } from '../../contract/jobs.ts';
import { isTerminal } from '../../contract/record.ts';
import { fieldsOfBuild } from '../domain/events.ts';
import { failure } from '../domain/failure.ts';
import { storedBuild } from '../domain/toRecord.ts';
import { withLogFields } from '../shared/logger.ts';
import type { ClaimedJob } from '../shared/ports.ts';
import { publishBuildEvent } from '../shared/publishEvents.ts';
import { ServiceFault } from '../shared/services/serviceFault.ts';
import type { ReleaserDeps } from './deps.ts';
import { type ServiceRunner, serviceVersionOf } from './services.ts';

/** Trials of a start that the platform itself could not make. */
const MAX_STARTS = 8;
const RENEW_MS = 20_000;

/**
 * A backend that was built has to answer before its build is a success; its deployment fails where it does not, and what
 * was shown before goes on. Publishes the result before the job ends, so that a crash in between repeats both.
 * @param renew Extends the lease.
 */
export async function startStored(
  deps: ReleaserDeps & { readonly runner: ServiceRunner },
  job: ClaimedJob,
  { deploymentId }: ServiceJob,
  renew: () => Promise<unknown>,
): Promise<void> {
  const stored = await deps.store.get(deploymentId);
  const built = stored && storedBuild(stored.facts, 'backend');
  if (!built || isTerminal(stored.record.status) || isTerminal(stored.record.builds.backend?.status ?? 'queued'))
    return;
  const { record } = stored;
  const { projectId, owner, gitUrl, correlationId } = record;
  const { attempt, artifact, logLines } = built;
  const build = { deploymentId, projectId, target: 'backend', attempt, correlationId } as const;
  const told = { bus: deps.runner.bus, clock: deps.clock };
  const timer = setInterval(() => void renew().catch(() => undefined), RENEW_MS);
  await withLogFields(fieldsOfBuild(build), async () => {
    try {
      const project = await deps.projects.ensure(projectId, owner, { gitUrl });
      const version = await serviceVersionOf(deps.runner, project, record, artifact);
      if (version) await deps.runner.services.start(version);
      await publishBuildEvent(told, build, { type: 'build.succeeded', artifact, logLines });
    } catch (error) {
      if (error instanceof ServiceFault) {
        deps.log.info('A backend did not run, and its deployment fails', { code: error.failure.code });
        await publishBuildEvent(told, build, { type: 'build.failed', error: error.failure, logLines });
      } else if (job.attempt >= MAX_STARTS) {
        deps.log.error('A backend could not be started and is given up', { error });
        const given = { attempts: job.attempt, reason: (error as Error).message };
        await publishBuildEvent(told, build, {
          type: 'build.failed',
          error: failure('RETRIES_EXHAUSTED', given),
          logLines,
        });
      } else throw error;
    }
  }).finally(() => clearInterval(timer));
}

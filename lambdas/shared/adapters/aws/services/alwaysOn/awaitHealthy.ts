import type { Task } from '@aws-sdk/client-ecs';
import { VerenError } from '../../../../../../contract/errors.ts';
import type { ServiceVersion } from '../../../../services/servicePort.ts';
import type { AlwaysOnAccess, AlwaysOnSettings } from './access.ts';
import { endedTasks, findServices, serviceName } from './taskService.ts';

const LOOK_MS = 3_000;
/** To find a place, get the image and begin to run. */
const LONGEST_START_MS = 300_000;
/** Two checks of the balancer, and the time to register with it. */
const CHECKS_MS = 20_000;
/** A task's own clock begins a little before ours. */
const CLOCK_MS = 2_000;

interface Health {
  readonly isHealthy: boolean;
  /** What the balancer says of the target that is not healthy. */
  readonly reason?: string | undefined;
  readonly description?: string | undefined;
}

async function readHealth({ balancer }: AlwaysOnAccess, TargetGroupArn: string): Promise<Health> {
  const { DescribeTargetHealthCommand } = await import('@aws-sdk/client-elastic-load-balancing-v2');
  const { TargetHealthDescriptions = [] } = await balancer.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
  const states = TargetHealthDescriptions.map(({ TargetHealth }) => TargetHealth);
  const bad = states.find((state) => state?.State === 'unhealthy');
  return {
    isHealthy: states.some((state) => state?.State === 'healthy'),
    ...(bad && { reason: bad.Reason, description: bad.Description }),
  };
}

/**
 * Waits until a task of a version answers its health path.
 * @returns what is wrong with the backend where it does not; null where it is healthy
 * @throws VerenError where no task could be started
 */
export async function awaitHealthy(
  access: AlwaysOnAccess,
  settings: AlwaysOnSettings,
  version: ServiceVersion,
  targetGroupArn: string,
): Promise<VerenError | null> {
  const name = serviceName(version.projectId, version);
  const began = access.now();
  let running = 0;
  for (let last: Health = { isHealthy: false }; ; ) {
    const health = await readHealth(access, targetGroupArn);
    if (health.isHealthy) return null;
    if (health.reason) last = health;
    for (const task of await endedTasks(access, settings, name, began - CLOCK_MS)) {
      const fault = faultOf(task, version, last);
      if (fault) return fault;
    }
    const [service] = await findServices(access, settings, [name]);
    if (running === 0 && (service?.runningCount ?? 0) > 0) running = access.now();
    if (running > 0 && access.now() - running >= version.settings.healthSeconds * 1_000 + CHECKS_MS)
      return unhealthy(version, last);
    if (running === 0 && access.now() - began >= LONGEST_START_MS)
      throw new VerenError('SERVICE_START_FAILED', {
        reason: service?.events?.[0]?.message ?? 'ECS has started no task in five minutes',
      });
    await access.sleep(LOOK_MS);
  }
}

/** What the end of a task says of its backend; null where it was asked to end. */
function faultOf(task: Task, version: ServiceVersion, last: Health): VerenError | null {
  const { stopCode, stoppedReason = '', containers = [] } = task;
  if (stopCode === 'TaskFailedToStart') {
    if (/no space left/i.test(stoppedReason)) return new VerenError('SERVICE_TOO_LARGE', { reason: stoppedReason });
    throw new VerenError('SERVICE_START_FAILED', { reason: stoppedReason });
  }
  if (/health checks/i.test(stoppedReason)) return unhealthy(version, last);
  if (stopCode !== 'EssentialContainerExited') return null;
  const [{ exitCode, reason = '' } = {}] = containers;
  const isOutOfMemory = /OutOfMemory/i.test(reason);
  return new VerenError('SERVICE_EXITED', {
    reason: isOutOfMemory
      ? `used more than ${version.settings.memoryMb} MB of memory`
      : `exit code ${exitCode ?? 'unknown'}`,
  });
}

/** Reasons of the balancer that tell of an answer; the others tell of none. */
function unhealthy({ settings, port }: ServiceVersion, { reason, description }: Health): VerenError {
  const { healthPath: path, healthSeconds: seconds } = settings;
  if (reason === 'Target.ResponseCodeMismatch' || reason === 'Target.Timeout')
    return new VerenError('SERVICE_UNHEALTHY', { path, seconds, reason: description ?? reason });
  return new VerenError('SERVICE_NOT_LISTENING', { port, seconds, seen: '' });
}

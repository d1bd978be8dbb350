import type { Service } from '@aws-sdk/client-ecs';
import { VerenError } from '../../../../../../contract/errors.ts';
import { BALANCER_HOST } from '../../../../../../contract/serviceResources.ts';
import { type ServiceVersionId, serviceVersionText } from '../../../../../../contract/services.ts';
import { ServiceFault } from '../../../../services/serviceFault.ts';
import type { ServiceStatus, Services, ServiceVersion, StartedService } from '../../../../services/servicePort.ts';
import { asServiceFault } from '../asServiceFault.ts';
import { ensureLogGroup, readServiceLog } from '../serviceLog.ts';
import { removeRole } from '../serviceRole.ts';
import type { AlwaysOnAccess, AlwaysOnSettings } from './access.ts';
import { awaitHealthy } from './awaitHealthy.ts';
import { ensureRule, ensureTargetGroup, findTargetGroup, removeTargetGroup } from './balancerRule.ts';
import { countBalanced } from './countRequests.ts';
import { keepTasks, restLater, stopScaling } from './scaling.ts';
import {
  ensureDefinition,
  ensureTaskRole,
  listVersions,
  removeDefinition,
  START_TASKS,
  writeSecrets,
} from './taskDefinition.ts';
import {
  ensureService,
  findServices,
  isTagged,
  rangeOf,
  removeService,
  serviceName,
  setDesired,
  TAGS,
  tagService,
} from './taskService.ts';

/** How long a version runs that production does not show, and one that production has shown until now. */
const PREVIEW_MS = 24 * 3_600_000;
const REPLACED_MS = 3_600_000;
const LAST_LINES = 20;
/** A log line is readable some seconds after it was written. */
const LOG_DELAY_MS = 5_000;
const RESTS = 'it rests; the next start, such as a promotion or a deployment, brings it back';

/** What the port has for services that are always on; the log is read where all kinds are. */
export interface AlwaysOnServices extends Pick<Services, 'start' | 'switchProduction' | 'remove' | 'list' | 'counts'> {
  /** True where something of a version was made. */
  knows(projectId: string, id: ServiceVersionId): Promise<boolean>;
}

/**
 * Backends on Fargate: for each version an ECS service, with a target group and a rule of the stage's load balancer by which
 * the version's secret leads to it. The task definition is made first and removed last, so that what was begun is found.
 */
export function alwaysOnServices(access: AlwaysOnAccess, settings: AlwaysOnSettings): AlwaysOnServices {
  const { names } = settings;

  async function make(version: ServiceVersion): Promise<{ targetGroupArn: string; secret: string }> {
    const { projectId } = version;
    await ensureLogGroup(access.logs, names.logGroup(projectId), settings.logRetentionDays);
    const role = await ensureTaskRole(access, settings, projectId);
    const taskDefinition = await ensureDefinition(access, settings, version, role);
    await writeSecrets(access, settings, version);
    const targetGroupArn = await ensureTargetGroup(access, settings, version);
    const secret = await ensureRule(access, settings, targetGroupArn);
    await ensureService(access, settings, version, { taskDefinition, targetGroupArn });
    return { targetGroupArn, secret };
  }

  /** The service, its target group and secret; undefined where the last step of making it was not reached. */
  async function find(projectId: string, id: ServiceVersionId) {
    const [service] = await findServices(access, settings, [serviceName(projectId, id)]);
    const targetGroupArn = service && (await findTargetGroup(access, names.targetGroup(projectId, id)));
    if (!targetGroupArn) return undefined;
    return { service, targetGroupArn, secret: await ensureRule(access, settings, targetGroupArn) };
  }

  async function start(version: ServiceVersion): Promise<StartedService> {
    if (version.artifact.kind !== 'image') return { state: 'not-run', reason: 'only images run on AWS' };
    const { projectId } = version;
    const name = serviceName(projectId, version);
    const known = await find(projectId, version);
    const { targetGroupArn, secret } = known ?? (await make(version));
    const address = `${secret}@${BALANCER_HOST}`;
    const wasHealthy = known !== undefined && isTagged(known.service, TAGS.healthy);
    if (wasHealthy && (known.service.desiredCount ?? 0) > 0) return { state: 'running', address };
    // Before its task: a task that nobody waits for any more is not paid for ever.
    await restLater(access, settings, name, PREVIEW_MS);
    if (known && (known.service.desiredCount ?? 0) === 0) await setDesired(access, settings, name, 1);
    const fault = await awaitHealthy(access, settings, version, targetGroupArn);
    if (fault && wasHealthy) throw new VerenError('SERVICE_START_FAILED', { reason: fault.message }, { cause: fault });
    if (fault) {
      throw new ServiceFault(fault, await lastLines(version));
    }
    const [service] = await findServices(access, settings, [name]);
    if (service) await tagService(access, service, TAGS.healthy, 'true');
    return { state: 'running', address };
  }

  async function lastLines({ projectId, deploymentId }: ServiceVersion): Promise<string[]> {
    await access.sleep(LOG_DELAY_MS);
    const reading = { logGroupName: names.logGroup(projectId), deployments: new Map(), now: access.now() };
    const query = { deployment: deploymentId, limit: LAST_LINES };
    return (await readServiceLog(access.logs, reading, query)).map(({ line }) => line);
  }

  async function removeVersion(projectId: string, id: ServiceVersionId): Promise<void> {
    const name = serviceName(projectId, id);
    await stopScaling(access, settings, name);
    await removeService(access, settings, name);
    await removeTargetGroup(access, settings, names.targetGroup(projectId, id));
    await removeDefinition(access, names.family(projectId, id));
  }

  async function servicesOf(projectId: string): Promise<{ id: ServiceVersionId; service: Service | undefined }[]> {
    const versions = await listVersions(access, settings, projectId);
    const found = await findServices(
      access,
      settings,
      versions.map((id) => serviceName(projectId, id)),
    );
    return versions.map((id) => ({
      id,
      service: found.find((service) => service.serviceName === serviceName(projectId, id)),
    }));
  }

  async function switchProduction(projectId: string, version: ServiceVersionId | null): Promise<void> {
    const shown = version && serviceName(projectId, version);
    for (const { service } of await servicesOf(projectId)) {
      if (!service?.serviceName) continue;
      if (service.serviceName === shown) {
        await keepTasks(access, settings, shown, rangeOf(service));
        if (!isTagged(service, TAGS.production)) await tagService(access, service, TAGS.production, 'true');
      } else if (isTagged(service, TAGS.production)) {
        // It goes on for those who have a page of the release before, and while the route's change spreads.
        await restLater(access, settings, service.serviceName, REPLACED_MS);
        await tagService(access, service, TAGS.production, 'false');
      }
    }
  }

  return {
    async start(version) {
      try {
        return await start(version);
      } catch (error) {
        const fault = asServiceFault(error);
        // What was refused in the middle of being made is not to be paid for.
        if (fault instanceof ServiceFault) await removeVersion(version.projectId, version);
        throw fault;
      }
    },
    switchProduction,
    async remove(projectId, deploymentId, variables) {
      for (const id of await listVersions(access, settings, projectId))
        if (
          (deploymentId === undefined || id.deploymentId === deploymentId) &&
          (variables === undefined || id.variables === variables)
        )
          await removeVersion(projectId, id);
      if (deploymentId === undefined) await removeRole(access.iam, names.taskRoleName(projectId), [START_TASKS]);
    },
    async list(projectId) {
      return (await servicesOf(projectId)).map(({ id, service }) => ({ ...id, ...statusOf(service) }));
    },
    async counts(projectId) {
      const versions = await listVersions(access, settings, projectId);
      const groups = await Promise.all(versions.map((id) => findTargetGroup(access, names.targetGroup(projectId, id))));
      const targetGroupArns = groups.filter((arn) => arn !== undefined);
      return countBalanced(access.metrics, { listenerArn: settings.listenerArn, targetGroupArns, now: access.now() });
    },
    async knows(projectId, id) {
      const text = serviceVersionText(id);
      return (await listVersions(access, settings, projectId)).some((known) => serviceVersionText(known) === text);
    },
  };
}

function statusOf(
  service: Service | undefined,
): Pick<ServiceStatus, 'state' | 'isProduction' | 'reason' | 'startedAt'> {
  const isProduction = service !== undefined && isTagged(service, TAGS.production);
  const startedAt = service?.createdAt?.toISOString();
  const shown = { isProduction, ...(startedAt !== undefined && { startedAt }) };
  if (!service || !isTagged(service, TAGS.healthy)) return { ...shown, state: 'starting' };
  if ((service.desiredCount ?? 0) === 0) return { ...shown, state: 'idle', reason: RESTS };
  return { ...shown, state: (service.runningCount ?? 0) > 0 ? 'running' : 'crashed' };
}

import { createHash } from 'node:crypto';
import { serviceResources } from '../../../../../contract/serviceResources.ts';
import { type ServiceVersionId, serviceVersionText } from '../../../../../contract/services.ts';

/** Lambda, IAM and EventBridge Scheduler take 64 characters at most. */
const LONGEST = 64;
const HASH_LENGTH = 16;
/** Source: Elastic Load Balancing API reference, `CreateTargetGroup`. */
const LONGEST_TARGET_GROUP = 32;

/**
 * Names of what one project's service is made of, below the beginnings that rights end at. `--` is in no project's id, so
 * that no project's short name is another's shortened one.
 */
export function serviceNames(stage: string, region: string) {
  const resources = serviceResources(stage, region);
  const { functionPrefix, rolePrefix, taskRolePrefix, familyPrefix, targetGroupPrefix, logPrefix } = resources;
  const { rolePath, scheduleGroup, cluster, parameterPrefix } = resources;
  return {
    rolePath,
    scheduleGroup,
    cluster,
    taskRoleName: (projectId: string) => shorten(taskRolePrefix, projectId),
    /** Beginning of the families of a project's task definitions, each of which is one version's. */
    families: (projectId: string) => `${familyPrefix}${projectId}--`,
    family: (projectId: string, id: ServiceVersionId) => `${familyPrefix}${projectId}--${serviceVersionText(id)}`,
    targetGroup: (projectId: string, id: ServiceVersionId) =>
      targetGroupPrefix +
      createHash('sha256')
        .update(`${projectId}/${serviceVersionText(id)}`)
        .digest('hex')
        .slice(0, LONGEST_TARGET_GROUP - targetGroupPrefix.length),
    /** Beginning of the names of a project's secret variables. */
    parameters: (projectId: string) => `${parameterPrefix}${projectId}/`,
    functionName: (projectId: string) => shorten(functionPrefix, projectId),
    roleName: (projectId: string) => shorten(rolePrefix, projectId),
    logGroup: (projectId: string) => logPrefix + projectId,
    /** Of a project's schedules: `--` and a number follow. */
    schedulePrefix: (projectId: string) => shorten('', projectId, LONGEST - 8),
  };
}
export type ServiceNames = ReturnType<typeof serviceNames>;

function shorten(prefix: string, projectId: string, longest = LONGEST): string {
  const whole = prefix + projectId;
  if (whole.length <= longest) return whole;
  const hash = createHash('sha256').update(projectId).digest('hex').slice(0, HASH_LENGTH);
  return `${whole.slice(0, longest - HASH_LENGTH - 2)}--${hash}`;
}

/** The alias that calls by schedule go to. No version's text is a word without a number. */
export const PRODUCTION_ALIAS = 'production';

/** Versions have an alias each, since a function URL belongs to an alias. */
export const aliasOf = (id: ServiceVersionId): string => serviceVersionText(id);

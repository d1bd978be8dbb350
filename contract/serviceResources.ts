/** In the place of a host in a route: a rule of the stage's load balancer for services leads the secret to its version. */
export const BALANCER_HOST = 'balancer';

/** Beginnings of the names of what running backends are made of on AWS; rights of the platform's functions end at them. */
export const serviceResources = (stage: string, region: string) => ({
  functionPrefix: `veren-${stage}-service-`,
  /** Names of roles are global to an account, whatever their path. */
  rolePrefix: `veren-${stage}-${region}-svc-`,
  rolePath: `/veren/${stage}/${region}/services/`,
  logPrefix: `/veren/${stage}/services/`,
  scheduleGroup: `veren-${stage}-services`,
  /** Of services that are always on. */
  cluster: `veren-${stage}-services`,
  /** At most 32 characters. */
  balancer: `veren-${stage}-services`,
  taskRolePrefix: `veren-${stage}-${region}-task-`,
  /** Of task definitions: a project, `--` and a version follow. */
  familyPrefix: `veren-${stage}-service-`,
  /** Of target groups, whose names have 32 characters at most. */
  targetGroupPrefix: `veren-${stage}-`,
  /** Of secret variables in SSM's Parameter Store: a project, a version and a name follow. */
  parameterPrefix: `/veren/${stage}/services/`,
});

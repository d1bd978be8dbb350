/** Beginnings of the names of what running backends are made of on AWS; rights of the platform's functions end at them. */
export const serviceResources = (stage: string, region: string) => ({
  functionPrefix: `veren-${stage}-service-`,
  /** Names of roles are global to an account, whatever their path. */
  rolePrefix: `veren-${stage}-${region}-svc-`,
  rolePath: `/veren/${stage}/${region}/services/`,
  logPrefix: `/veren/${stage}/services/`,
  scheduleGroup: `veren-${stage}-services`,
});

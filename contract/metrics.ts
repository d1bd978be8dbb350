/**
 * Metrics that functions write in CloudWatch's embedded metric format and that alarms watch. All have one dimension, `Stage`.
 */
export const METRIC_NAMESPACE = 'Veren';

export const METRICS = {
  /** Seconds that the oldest due job of a queue has waited, at each sweep. Promotions count among the builds. */
  cloneQueueAge: 'CloneQueueAge',
  buildQueueAge: 'BuildQueueAge',
  /** Jobs waiting and running, at each sweep. */
  waitingBuilds: 'WaitingBuilds',
  activeBuilds: 'ActiveBuilds',
  /** Builds that run longer than their timeout and its grace allow, at each sweep. */
  stuckBuilds: 'StuckBuilds',
  /** Deployments that ended: successes, failures of users, failures of the platform. */
  succeeded: 'DeploymentsSucceeded',
  failedByUser: 'DeploymentsFailedByUser',
  failedByPlatform: 'DeploymentsFailedByPlatform',
  /** Messages that could not be read and were parked. */
  parkedMessages: 'ParkedMessages',
  /** Messages that were dropped because their writer may not send that MAC, subject or time. */
  refusedMessages: 'RefusedMessages',
} as const;
export type Metric = (typeof METRICS)[keyof typeof METRICS];

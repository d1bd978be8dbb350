/** States and phases by name, without a schema: the dashboard has them without zod. */
export const DEPLOYMENT_STATUSES = ['queued', 'analyzing', 'building', 'succeeded', 'failed', 'canceled'] as const;
export type DeploymentStatus = (typeof DEPLOYMENT_STATUSES)[number];
export const BUILD_STATUSES = ['queued', 'building', 'succeeded', 'failed', 'canceled'] as const;
export type BuildStatus = (typeof BUILD_STATUSES)[number];
export const PHASES = ['fetch', 'install', 'build', 'publish'] as const;
export type Phase = (typeof PHASES)[number];

export const isTerminal = (s: DeploymentStatus | BuildStatus): s is 'succeeded' | 'failed' | 'canceled' =>
  s === 'succeeded' || s === 'failed' || s === 'canceled';

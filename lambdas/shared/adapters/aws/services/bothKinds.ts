import type { ServiceCounts } from '../../../../../contract/services.ts';
import type { Services } from '../../../services/servicePort.ts';
import type { AlwaysOnServices } from './alwaysOn/alwaysOnServices.ts';
import type { LambdaServices } from './lambdaServices.ts';

/**
 * Backends of both kinds. A version stays where it was started first, whatever the project's settings say later; both keep
 * their lines in the project's one log.
 */
export function bothKinds(lambda: LambdaServices, alwaysOn: AlwaysOnServices): Services {
  return {
    async start(version) {
      const isBalanced =
        version.settings.kind === 'always-on'
          ? !(await lambda.knows(version.projectId, version))
          : await alwaysOn.knows(version.projectId, version);
      if (isBalanced) return alwaysOn.start(version);
      return lambda.start({ ...version, settings: { ...version.settings, kind: 'scale-to-zero' } });
    },
    async switchProduction(projectId, version) {
      const isBalanced = version !== null && (await alwaysOn.knows(projectId, version));
      await alwaysOn.switchProduction(projectId, isBalanced ? version : null);
      await lambda.switchProduction(projectId, isBalanced ? null : version);
    },
    async schedule(projectId, crons) {
      // What is always on has a clock of its own, and EventBridge Scheduler has no way to it.
      const isBalanced = (await alwaysOn.list(projectId)).some(({ isProduction }) => isProduction);
      await lambda.schedule(projectId, isBalanced ? [] : crons);
    },
    async remove(...of) {
      // Before the log goes, which both write.
      await alwaysOn.remove(...of);
      await lambda.remove(...of);
    },
    async list(projectId) {
      const found = await Promise.all([lambda.list(projectId), alwaysOn.list(projectId)]);
      return found
        .flat()
        .sort((a, b) => b.deploymentId.localeCompare(a.deploymentId, 'en') || b.variables - a.variables);
    },
    readLog: (...of) => lambda.readLog(...of),
    async counts(projectId) {
      return addCounts(await lambda.counts(projectId), await alwaysOn.counts(projectId));
    },
  };
}

function addCounts(a: ServiceCounts, b: ServiceCounts): ServiceCounts {
  const requests = a.requests + b.requests;
  const total = a.durationMs.mean * a.requests + b.durationMs.mean * b.requests;
  return {
    ...{ since: a.since, requests, errors: a.errors + b.errors, coldStarts: a.coldStarts + b.coldStarts },
    durationMs: { mean: requests > 0 ? total / requests : 0, max: Math.max(a.durationMs.max, b.durationMs.max) },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../clock.ts';
import type { Services } from '../../../services/servicePort.ts';
import { openIam, openLambda, openLogs, openMetrics, openScheduler } from '../clients.ts';
import { lambdaServices } from './lambdaServices.ts';

interface ServicesEnv {
  readonly AWS_REGION: string;
  readonly STAGE?: string | undefined;
  readonly SERVICES_BOUNDARY_ARN?: string | undefined;
  /** Absent: of a function that only reads. */
  readonly SERVICES_SCHEDULER_ROLE_ARN?: string | undefined;
  readonly SERVICES_LOG_DAYS?: number | undefined;
}

const DEFAULT_LOG_DAYS = 30;

/** Running backends of a stage, as a function's environment tells of them; undefined where it runs none. */
export function openLambdaServices(env: ServicesEnv): Services | undefined {
  const { STAGE: stage, SERVICES_BOUNDARY_ARN: boundaryArn } = env;
  if (stage === undefined || boundaryArn === undefined) return undefined;
  const [, partition = 'aws', , , account = ''] = boundaryArn.split(':');
  return lambdaServices(
    {
      lambda: openLambda(),
      iam: openIam(),
      logs: openLogs(),
      metrics: openMetrics(),
      scheduler: openScheduler(),
      fetchUrl: fetch,
      now: systemClock.now,
      sleep: (ms) => sleep(ms),
    },
    {
      ...{ stage, partition, account, boundaryArn, region: env.AWS_REGION },
      schedulerRoleArn: env.SERVICES_SCHEDULER_ROLE_ARN ?? '',
      logRetentionDays: env.SERVICES_LOG_DAYS ?? DEFAULT_LOG_DAYS,
    },
  );
}

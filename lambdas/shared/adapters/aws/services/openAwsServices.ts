import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../clock.ts';
import type { Services } from '../../../services/servicePort.ts';
import {
  openBalancer,
  openEcs,
  openIam,
  openLambda,
  openLogs,
  openMetrics,
  openParameters,
  openScaling,
  openScheduler,
} from '../clients.ts';
import { alwaysOnServices } from './alwaysOn/alwaysOnServices.ts';
import { bothKinds } from './bothKinds.ts';
import { lambdaServices } from './lambdaServices.ts';
import { serviceNames } from './resourceNames.ts';

interface ServicesEnv {
  readonly AWS_REGION: string;
  readonly STAGE?: string | undefined;
  readonly SERVICES_BOUNDARY_ARN?: string | undefined;
  /** This and what follows is absent of a function that only reads. */
  readonly SERVICES_SCHEDULER_ROLE_ARN?: string | undefined;
  readonly SERVICES_LOG_DAYS?: number | undefined;
  readonly SERVICES_SUBNETS?: string | undefined;
  readonly SERVICES_GROUP?: string | undefined;
  /** Absent where no backend is always on. */
  readonly SERVICES_LISTENER_ARN?: string | undefined;
  readonly SERVICES_VPC_ID?: string | undefined;
  readonly SERVICES_TASK_GROUP?: string | undefined;
  readonly SERVICES_OPEN_GROUPS?: string | undefined;
  readonly SERVICES_IMAGES_ARN?: string | undefined;
}

const DEFAULT_LOG_DAYS = 30;

const listOf = (text = ''): string[] => text.split(',').filter(Boolean);

/** Running backends of a stage, as a function's environment tells of them; undefined where it runs none. */
export function openAwsServices(env: ServicesEnv): Services | undefined {
  const { STAGE: stage, SERVICES_BOUNDARY_ARN: boundaryArn, SERVICES_GROUP: group = '', AWS_REGION: region } = env;
  if (stage === undefined || boundaryArn === undefined) return undefined;
  const [, partition = 'aws', , , account = ''] = boundaryArn.split(':');
  const logRetentionDays = env.SERVICES_LOG_DAYS ?? DEFAULT_LOG_DAYS;
  const subnetIds = listOf(env.SERVICES_SUBNETS);
  const common = {
    iam: openIam(),
    logs: openLogs(),
    metrics: openMetrics(),
    now: systemClock.now,
    sleep: (ms: number) => sleep(ms),
  };
  const place = { partition, account, region, boundaryArn, logRetentionDays };
  const lambda = lambdaServices(
    { ...common, lambda: openLambda(), scheduler: openScheduler(), fetchUrl: fetch },
    {
      ...{ ...place, stage, network: { subnetIds, groupIds: [group] } },
      schedulerRoleArn: env.SERVICES_SCHEDULER_ROLE_ARN ?? '',
    },
  );
  const { SERVICES_LISTENER_ARN: listenerArn } = env;
  if (listenerArn === undefined) return lambda;
  const alwaysOn = alwaysOnServices(
    { ...common, ecs: openEcs(), balancer: openBalancer(), scaling: openScaling(), parameters: openParameters() },
    {
      ...{ ...place, names: serviceNames(stage, region), listenerArn, subnetIds, attachedGroupId: group },
      vpcId: env.SERVICES_VPC_ID ?? '',
      taskGroupId: env.SERVICES_TASK_GROUP ?? '',
      openGroupIds: listOf(env.SERVICES_OPEN_GROUPS),
      imagesArn: env.SERVICES_IMAGES_ARN ?? '',
    },
  );
  return bothKinds(lambda, alwaysOn);
}

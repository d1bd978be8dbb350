import type { AlwaysOnAccess, AlwaysOnSettings } from './access.ts';
import { isNamed, unless } from './access.ts';

type Scaled = Pick<AlwaysOnAccess, 'scaling' | 'now'>;

const POLICY = 'processor';
const REST = 'rest';
/** Percent of a task's processor, on average, at which there are as many tasks as are needed. */
const WANTED_LOAD = 60;

const targetOf = ({ names }: AlwaysOnSettings, service: string) => ({
  ServiceNamespace: 'ecs' as const,
  ResourceId: `service/${names.cluster}/${service}`,
  ScalableDimension: 'ecs:service:DesiredCount' as const,
});
const isGone = isNamed('ObjectNotFoundException');

/** Keeps this many tasks of a service, by their load; nothing lets it rest any more. */
export async function keepTasks(
  { scaling }: Scaled,
  settings: AlwaysOnSettings,
  service: string,
  [min, max]: readonly [number, number],
): Promise<void> {
  const sdk = await import('@aws-sdk/client-application-auto-scaling');
  const target = targetOf(settings, service);
  await unless(isGone, scaling.send(new sdk.DeleteScheduledActionCommand({ ...target, ScheduledActionName: REST })));
  await scaling.send(new sdk.RegisterScalableTargetCommand({ ...target, MinCapacity: min, MaxCapacity: max }));
  await scaling.send(
    new sdk.PutScalingPolicyCommand({
      ...{ ...target, PolicyName: POLICY },
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: WANTED_LOAD,
        PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
      },
    }),
  );
}

/**
 * Keeps one task for as long as this, and none after it. AWS's own clock does it, so that nobody has to remember it.
 */
export async function restLater(
  { scaling, now }: Scaled,
  settings: AlwaysOnSettings,
  service: string,
  ms: number,
): Promise<void> {
  const sdk = await import('@aws-sdk/client-application-auto-scaling');
  const target = targetOf(settings, service);
  await scaling.send(new sdk.RegisterScalableTargetCommand({ ...target, MinCapacity: 1, MaxCapacity: 1 }));
  const at = new Date(now() + ms).toISOString().slice(0, 19);
  await scaling.send(
    new sdk.PutScheduledActionCommand({
      ...{ ...target, ScheduledActionName: REST, Schedule: `at(${at})` },
      ScalableTargetAction: { MinCapacity: 0, MaxCapacity: 0 },
    }),
  );
}

/** Its policy and what is scheduled go with it. */
export async function stopScaling({ scaling }: Scaled, settings: AlwaysOnSettings, service: string): Promise<void> {
  const { DeregisterScalableTargetCommand } = await import('@aws-sdk/client-application-auto-scaling');
  await unless(isGone, scaling.send(new DeregisterScalableTargetCommand(targetOf(settings, service))));
}

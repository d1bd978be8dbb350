import { randomBytes, randomInt } from 'node:crypto';
import type { Rule } from '@aws-sdk/client-elastic-load-balancing-v2';
import { VerenError } from '../../../../../../contract/errors.ts';
import { SERVICE_SECRET_HEADER } from '../../../../../../contract/serviceAdapter.ts';
import type { ServiceVersion } from '../../../../services/servicePort.ts';
import { type AlwaysOnAccess, type AlwaysOnSettings, isNamed, unless } from './access.ts';

type Balanced = Pick<AlwaysOnAccess, 'balancer'>;

/** Requests that are under way when a task goes have this long. */
const DRAIN_SECONDS = 30;
const HIGHEST_PRIORITY = 50_000;
const PRIORITY_TRIES = 20;
const PAGE_SIZE = 100;
const isFull = isNamed(
  ...['TooManyRules', 'TooManyTargetGroups', 'TooManyUniqueTargetGroupsPerLoadBalancer', 'TooManyActions'],
  ...['TooManyRulesException', 'TooManyTargetGroupsException', 'TooManyUniqueTargetGroupsPerLoadBalancerException'],
);

/** The target group of this name, undefined where there is none. */
export async function findTargetGroup({ balancer }: Balanced, name: string): Promise<string | undefined> {
  const { DescribeTargetGroupsCommand } = await import('@aws-sdk/client-elastic-load-balancing-v2');
  const found = await unless(
    isNamed('TargetGroupNotFound', 'TargetGroupNotFoundException'),
    balancer.send(new DescribeTargetGroupsCommand({ Names: [name] })),
  );
  return found?.TargetGroups?.[0]?.TargetGroupArn;
}

/** Makes a version's target group, which asks its tasks for the health path. */
export async function ensureTargetGroup(
  access: Balanced,
  { names, vpcId }: AlwaysOnSettings,
  version: ServiceVersion,
): Promise<string> {
  const sdk = await import('@aws-sdk/client-elastic-load-balancing-v2');
  const Name = names.targetGroup(version.projectId, version);
  const made = await refuseFull(
    access.balancer.send(
      new sdk.CreateTargetGroupCommand({
        ...{ Name, Port: version.port, VpcId: vpcId },
        Protocol: 'HTTP',
        TargetType: 'ip',
        HealthCheckPath: version.settings.healthPath,
        HealthCheckIntervalSeconds: 5,
        HealthCheckTimeoutSeconds: 4,
        HealthyThresholdCount: 2,
        UnhealthyThresholdCount: 5,
        // As on a laptop: everything below 500 is an answer.
        Matcher: { HttpCode: '200-499' },
      }),
    ),
  );
  const TargetGroupArn = `${made.TargetGroups?.[0]?.TargetGroupArn}`;
  await access.balancer.send(
    new sdk.ModifyTargetGroupAttributesCommand({
      TargetGroupArn,
      Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: String(DRAIN_SECONDS) }],
    }),
  );
  return TargetGroupArn;
}

/** The rule that leads to a target group. */
async function findRule({ balancer }: Balanced, ListenerArn: string, targetGroup: string): Promise<Rule | undefined> {
  const { DescribeRulesCommand } = await import('@aws-sdk/client-elastic-load-balancing-v2');
  let Marker: string | undefined;
  do {
    const page = await balancer.send(
      new DescribeRulesCommand({ ListenerArn, PageSize: PAGE_SIZE, ...(Marker && { Marker }) }),
    );
    const found = page.Rules?.find(({ Actions }) => Actions?.[0]?.TargetGroupArn === targetGroup);
    if (found) return found;
    Marker = page.NextMarker;
  } while (Marker);
  return undefined;
}

const secretOf = ({ Conditions }: Rule): string => `${Conditions?.[0]?.HttpHeaderConfig?.Values?.[0]}`;

/**
 * The rule by which the listener leads requests with the version's secret to it, and nobody else's.
 * @returns the secret
 */
export async function ensureRule(
  access: Balanced,
  { listenerArn: ListenerArn }: AlwaysOnSettings,
  TargetGroupArn: string,
): Promise<string> {
  const { CreateRuleCommand } = await import('@aws-sdk/client-elastic-load-balancing-v2');
  for (let tries = 1; ; tries++) {
    const known = await findRule(access, ListenerArn, TargetGroupArn);
    if (known) return secretOf(known);
    // In hexadecimal, since a listener compares without regard to case.
    const secret = randomBytes(32).toString('hex');
    const rule = new CreateRuleCommand({
      ListenerArn,
      Priority: randomInt(1, HIGHEST_PRIORITY + 1),
      Conditions: [
        { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: SERVICE_SECRET_HEADER, Values: [secret] } },
      ],
      Actions: [{ Type: 'forward', TargetGroupArn }],
    });
    const isTaken = isNamed('PriorityInUse', 'PriorityInUseException');
    const made = await unless(
      (error) => isTaken(error) && tries < PRIORITY_TRIES,
      refuseFull(access.balancer.send(rule)),
    );
    // Of two releasers the one whose rule is found first counts, for both.
    if (made) return secretOf((await findRule(access, ListenerArn, TargetGroupArn)) ?? (made.Rules?.[0] as Rule));
  }
}

/** Removes a version's rules, and then its target group. */
export async function removeTargetGroup(
  access: Balanced,
  { listenerArn }: AlwaysOnSettings,
  name: string,
): Promise<void> {
  const sdk = await import('@aws-sdk/client-elastic-load-balancing-v2');
  const TargetGroupArn = await findTargetGroup(access, name);
  if (!TargetGroupArn) return;
  for (let rule = await findRule(access, listenerArn, TargetGroupArn); rule; ) {
    await unless(
      isNamed('RuleNotFound', 'RuleNotFoundException'),
      access.balancer.send(new sdk.DeleteRuleCommand({ RuleArn: rule.RuleArn })),
    );
    rule = await findRule(access, listenerArn, TargetGroupArn);
  }
  await access.balancer.send(new sdk.DeleteTargetGroupCommand({ TargetGroupArn }));
}

async function refuseFull<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!isFull(error)) throw error;
    throw new VerenError('SERVICE_NO_ROOM', { reason: (error as Error).message }, { cause: error });
  }
}

import type { DeploymentView } from '../../contract/api.ts';
import { describeCost } from '../../contract/money.ts';
import { formatDuration, totalTime } from '../client/durations.ts';
import { planLines } from '../client/progress.ts';
import { describeOutcome, durationTable, type Style } from '../client/summary.ts';
import { shownUpload } from './describeSource.ts';
import { formatAge } from './table.ts';

/** Everything that a person wants to know of a deployment, as lines. */
export function describeDeployment(record: DeploymentView, style: Style, now: number): string[] {
  const { colors, safe } = style;
  const upload = shownUpload(record);
  const site = record.builds.frontend?.artifact;
  const rows: (readonly [string, string | undefined])[] = [
    ['project', record.projectId],
    ['status', record.status],
    ['environment', record.environment],
    ['production', record.released === undefined ? undefined : `serves it since ${formatAge(record.released, now)}`],
    // The commit of an uploaded folder is one that nobody can look up.
    ...(upload === undefined
      ? ([
          ['repository', record.gitUrl],
          ['ref', record.ref ?? undefined],
          ['commit', record.commit ?? undefined],
        ] as const)
      : ([['uploaded', upload]] as const)),
    ['created', `${record.createdAt} (${formatAge(record.createdAt, now)})`],
    ['took', formatDuration(totalTime(record, now))],
    ['same as', record.sameAs],
    ['expired', record.expired && `${record.expired.at} (${record.expired.reason})`],
    ...(site?.kind === 'static'
      ? ([
          ['address', site.deploymentUrl],
          ['branch', site.branchUrl],
          ['live', record.released === undefined ? undefined : site.url],
        ] as const)
      : []),
    ['cost', record.cost && describeCost(record.cost)],
    ['slowed', (record.builds.frontend?.slowed ?? record.builds.backend?.slowed)?.message],
    ['backend', record.service && [record.service.state, record.service.deploymentUrl].filter(Boolean).join(', ')],
  ];
  return [
    colors.bold(safe(record.deploymentId)),
    ...rows.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(12)} ${safe(value)}`])),
    '',
    ...planLines(record, style),
    ...durationTable(record, style, now),
    ...describeOutcome(record, style),
  ];
}

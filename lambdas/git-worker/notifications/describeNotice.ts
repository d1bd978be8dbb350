import type { Notice } from '../../../contract/notifications.ts';
import type { ProjectDocument, Release } from '../../../contract/project.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { environmentOf } from '../../domain/shown.ts';
import type { NoticeCause } from '../../shared/notifications/queueNotice.ts';
import { addressOf, commitOf } from '../reports/describeReport.ts';
import { openAddresses } from '../reports/findReported.ts';
import type { NotificationDeps } from './deps.ts';

/** What is older is no news: after a loss of the queue every deployment of the log is seen once more. */
const MAX_AGE_MS = 24 * 3_600_000;

type Deps = Pick<NotificationDeps, 'store' | 'siteAddresses' | 'clock'>;

/** What there is to say of something that has happened; null where it is old or gone. */
export async function describeNotice(deps: Deps, project: ProjectDocument, cause: NoticeCause): Promise<Notice | null> {
  const { projectId } = project;
  const isOld = (at: string) => deps.clock.now() - Date.parse(at) > MAX_AGE_MS;
  switch (cause.kind) {
    case 'test':
      return { type: 'notification.test', timestamp: cause.at, data: { projectId } };
    case 'deployment': {
      const record = await recordOf(deps, projectId, cause.deploymentId);
      if (!record || isOld(record.finishedAt ?? record.updatedAt)) return null;
      return describeEnd(deps, project, record, cause.status);
    }
    case 'release': {
      const release = project.releases.find(({ releaseId }) => releaseId === cause.releaseId);
      if (!release || isOld(release.at)) return null;
      return describeRelease(deps, project, release);
    }
  }
}

async function recordOf({ store }: Deps, projectId: string, id: string): Promise<DeploymentRecord | null> {
  const record = (await store.get(id))?.record;
  return record?.projectId === projectId ? record : null;
}

async function describeEnd(
  deps: Deps,
  project: ProjectDocument,
  record: DeploymentRecord,
  status: 'succeeded' | 'failed' | 'canceled',
): Promise<Notice> {
  const error = record.error ?? record.builds.frontend?.error ?? record.builds.backend?.error;
  return {
    type: `deployment.${status}`,
    timestamp: record.finishedAt ?? record.updatedAt,
    data: {
      ...dataOf(record),
      ...(status === 'succeeded' && (await shownAt(deps, project, record))),
      ...(status === 'failed' && error && { error: { code: error.code, message: error.message } }),
    },
  };
}

async function describeRelease(deps: Deps, project: ProjectDocument, release: Release): Promise<Notice> {
  const { releaseId, deploymentId, kind, at, by, reason } = release;
  const record = await recordOf(deps, project.projectId, deploymentId);
  return {
    type: kind === 'rollback' ? 'production.rolledBack' : 'production.released',
    timestamp: at,
    data: {
      // Records end earlier than what production shows.
      ...(record ? dataOf(record) : { projectId: project.projectId, deploymentId }),
      environment: 'production',
      ...(record && (await shownAt(deps, project, { ...record, environment: 'production' }))),
      ...{ releaseId, by },
      ...(reason !== undefined && { reason }),
    },
  };
}

function dataOf(record: DeploymentRecord): Notice['data'] {
  const { projectId, deploymentId, plan, ref } = record;
  const commit = commitOf(record);
  const name = plan?.branch ?? ref;
  return {
    ...{ projectId, deploymentId, environment: environmentOf(record) },
    ...(name != null && { branch: name }),
    ...(commit !== undefined && { commit }),
  };
}

/** Without what opens a protected preview: who is told may be many. */
async function shownAt(deps: Deps, project: ProjectDocument, record: DeploymentRecord): Promise<{ url?: string }> {
  const url = addressOf(record, await openAddresses(deps, record, project));
  return url === undefined ? {} : { url };
}

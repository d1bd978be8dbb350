import type { ProjectDocument } from '../../contract/project.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { prefixOf, type ServiceView, serviceVersionText } from '../../contract/services.ts';
import { releaseWith } from '../domain/releases.ts';
import { builtParts } from '../domain/shown.ts';
import type { ServiceReports, ServiceStatus } from '../shared/services/servicePort.ts';
import type { ApiDeps } from './deps.ts';

export function viewService({
  deploymentId,
  variables,
  state,
  isProduction,
  reason,
  crashes,
  lastCrash,
  startedAt,
}: ServiceStatus): ServiceView {
  return {
    version: serviceVersionText({ deploymentId, variables }),
    ...{ state, isProduction },
    ...(reason !== undefined && { reason }),
    ...(crashes !== undefined && { crashes }),
    ...(lastCrash !== undefined && { lastCrash }),
    ...(startedAt !== undefined && { startedAt }),
  };
}

/** Asks once for each project, however many of its deployments are looked at. */
export function askServicesOnce(services: Pick<ServiceReports, 'list'>): Pick<ServiceReports, 'list'> {
  const asked = new Map<string, ReturnType<ServiceReports['list']>>();
  return {
    list(projectId) {
      const found = asked.get(projectId) ?? services.list(projectId);
      asked.set(projectId, found);
      return found;
    },
  };
}

export interface ViewDeps extends Pick<ApiDeps, 'siteAddresses' | 'log'> {
  readonly services?: Pick<ServiceReports, 'list'> | undefined;
}

/** What runs of a deployment's backend, and where: what production shows, else its newest version. */
export async function serviceOf(
  { services, siteAddresses, log }: ViewDeps,
  record: DeploymentRecord,
  project: ProjectDocument | null,
): Promise<ServiceView | undefined> {
  const { projectId, deploymentId, sameAs, plan } = record;
  if (!services || !plan?.backend) return undefined;
  const listed = await services.list(projectId).catch((error: unknown) => {
    log.warn('What runs of a project could not be asked, and its record is shown without', { projectId, error });
    return [];
  });
  const own = listed.filter((status) => status.deploymentId === (sameAs ?? deploymentId));
  const shown = own.find(({ isProduction }) => isProduction) ?? own[0];
  if (!shown) return undefined;
  if (shown.state === 'not-run') return viewService(shown);
  const prefix = prefixOf(project?.settings.service, builtParts(record).includes('frontend'));
  const { url, deploymentUrl } = await siteAddresses(record, project);
  const below = (address: string) => new URL(prefix, address).href;
  return {
    ...viewService(shown),
    // The document decides; what runs follows it a moment later.
    isProduction: project !== null && releaseWith(project, 'backend')?.deploymentId === shown.deploymentId,
    url: below(url),
    ...(deploymentUrl !== undefined && { deploymentUrl: below(deploymentUrl) }),
  };
}

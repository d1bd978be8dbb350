import type { SiteAddresses } from '../../../contract/api.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { builtDeployment } from '../../domain/sameAs.ts';
import { linkToken, TOKEN_NAME } from './protection.ts';
import { branchHost, branchOf, deploymentHost } from './routes.ts';

/** What of a deployment its addresses follow from. */
export type AddressedRecord = Pick<DeploymentRecord, 'projectId' | 'deploymentId' | 'plan' | 'sameAs'>;

/** Where a deployment is served. The document is null for a project of an earlier version, which has no previews. */
export type AddressesOf = (record: AddressedRecord, project: ProjectDocument | null) => Promise<SiteAddresses>;

/** Addresses by a template, in which a preview's label takes the place of `{projectId}`. */
export function templateAddresses(template: string): AddressesOf {
  const fill = (host: string) => template.replaceAll('{projectId}', host);
  return async (record, project) => ({ url: fill(record.projectId), ...previewAddresses(record, project, fill) });
}

/** Addresses of a deployment and of its branch; where previews need a link, they are that link. */
export function previewAddresses(
  record: AddressedRecord,
  project: ProjectDocument | null,
  urlOf: (host: string) => string,
): Pick<SiteAddresses, 'deploymentUrl' | 'branchUrl'> {
  if (!project) return {};
  const isLinked = project.settings.previews?.protection === 'link';
  const openUrl = (host: string) =>
    isLinked ? `${urlOf(host)}?${TOKEN_NAME}=${linkToken(project.addressKey)}` : urlOf(host);
  const branch = branchOf(record);
  return {
    deploymentUrl: openUrl(deploymentHost(project, builtDeployment(record))),
    ...(branch !== undefined && { branchUrl: openUrl(branchHost(project, branch)) }),
  };
}

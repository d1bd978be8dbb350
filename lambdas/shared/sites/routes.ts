import type { Manifest } from '../../../contract/manifest.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { parseServiceVersion } from '../../../contract/services.ts';
import type { SiteRoute } from '../../../contract/siteRoute.ts';
import { releaseWith } from '../../domain/releases.ts';
import { branchLabel, deploymentLabel, previewHost } from '../addresses.ts';
import { hashSecret, linkToken } from './protection.ts';

const DEFAULT_SKEW_MINUTES = 60;
/** A route has to fit into one value of a KeyValueStore, 1 KB; one more release takes 80 bytes. */
const MAX_BEFORE = 5;

/** What production's addresses show; null before the first release with a site. Follows from the document and the time. */
export function productionRoute(project: ProjectDocument, now: number): SiteRoute | null {
  const release = releaseWith(project, 'frontend');
  if (!release) return null;
  const before = releasesBefore(project, release.deploymentId, now);
  return {
    projectId: project.projectId,
    deploymentId: release.deploymentId,
    ...(before.length > 0 && { before }),
    ...(project.settings.maintenance && { maintenance: true }),
  };
}

/** What production's addresses show where there is a backend and no site. */
export const serviceOnlyRoute = (
  { projectId, settings }: ProjectDocument,
  service: NonNullable<SiteRoute['service']>,
): SiteRoute => ({
  projectId,
  deploymentId: parseServiceVersion(service.version)?.deploymentId ?? '',
  ...(settings.maintenance && { maintenance: true }),
  service,
});

/** Releases whose time has just ended: pages of theirs are still open and will ask for their assets. */
function releasesBefore({ releases, settings }: ProjectDocument, current: string, now: number) {
  const skewMs = (settings.releases?.skewMinutes ?? DEFAULT_SKEW_MINUTES) * 60_000;
  const until = new Map<string, number>();
  releases.forEach(({ deploymentId, targets = ['frontend'] }, i) => {
    const next = releases[i - 1];
    if (!next || deploymentId === current || until.has(deploymentId) || !targets.includes('frontend')) return;
    const end = Date.parse(next.at) + skewMs;
    if (end > now) until.set(deploymentId, Math.ceil(end / 1_000));
  });
  return [...until].slice(0, MAX_BEFORE).map(([deploymentId, end]) => ({ deploymentId, until: end }));
}

/** What the addresses of one deployment, and of its branch, show: the files of the deployment that this manifest is of. */
export function previewRoute(
  project: ProjectDocument,
  { deploymentId, rules }: Pick<Manifest, 'deploymentId' | 'rules'>,
): SiteRoute {
  const { projectId, settings, addressKey, previewPassword } = project;
  const kind = settings.previews?.protection ?? 'none';
  // Without a password that was set nobody can open what needs one.
  const secret =
    kind === 'link' ? hashSecret(addressKey.slice(0, 8), linkToken(addressKey)) : (previewPassword ?? NOBODY);
  return {
    projectId,
    deploymentId,
    noindex: true,
    ...(kind !== 'none' && { protection: { kind, ...secret } }),
    ...(rules && { rules }),
  };
}

const NOBODY = { salt: '', hash: '' };

export const deploymentHost = ({ addressKey, projectId }: ProjectDocument, deploymentId: string): string =>
  previewHost(deploymentLabel(addressKey, deploymentId), projectId);

export const branchHost = ({ addressKey, projectId }: ProjectDocument, branch: string): string =>
  previewHost(branchLabel(addressKey, branch), projectId);

/** The branch that an address is made for; a commit or a tag has none. */
export const branchOf = ({ plan }: Pick<DeploymentRecord, 'plan'>): string | undefined => plan?.branch;

import type { ProjectDocument } from '../../contract/project.ts';
import type { Artifact, DeploymentRecord } from '../../contract/record.ts';
import { completeServiceSettings, prefixOf, serviceVersionText } from '../../contract/services.ts';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import { releaseWith } from '../domain/releases.ts';
import { builtDeployment } from '../domain/sameAs.ts';
import { builtParts, environmentOf } from '../domain/shown.ts';
import type { EventBus } from '../shared/ports.ts';
import { openVariables } from '../shared/projects/sealVariables.ts';
import type { VariableStore } from '../shared/projects/variableStore.ts';
import type { SecretBox } from '../shared/secretBox.ts';
import type { ServiceArtifact, Services, ServiceVersion } from '../shared/services/servicePort.ts';

import type { ReleaserDeps } from './deps.ts';

/** What a releaser needs where the platform runs backends. */
export interface ServiceRunner {
  readonly services: Services;
  readonly secretBox: SecretBox;
  readonly variables: Pick<VariableStore, 'at'>;
  /** Signed; gets what the first start of a backend has shown. */
  readonly bus: EventBus;
}

const DEFAULT_PORT = 3_000;

/**
 * A version of a deployment's backend. Throws VARIABLES_LOST, VARIABLES_UNREADABLE.
 * @param artifact What was built; null where there is none that could run.
 * @param variables Version of the project's variables; absent: that of the deployment.
 */
export async function serviceVersionOf(
  { secretBox, variables: store }: ServiceRunner,
  project: ProjectDocument,
  record: DeploymentRecord,
  artifact: Artifact | undefined,
  variables = record.variables?.version ?? 0,
): Promise<ServiceVersion | null> {
  if (!artifact || artifact.kind === 'static') return null;
  const { deploymentId, projectId, owner, plan } = record;
  const reader = { environment: environmentOf(record), lane: plan?.lane ?? 'preview', steps: ['run'] } as const;
  const settings = completeServiceSettings(project.settings.service);
  const opened = variables === 0 ? [] : await openVariables(secretBox, await store.at(projectId, variables), reader);
  return {
    ...{ projectId, owner, deploymentId, variables },
    artifact: artifact satisfies ServiceArtifact,
    // A stranger's code that a fork asks for gets no secrets, and no way to the databases of the VPC either.
    settings: { ...settings, vpc: settings.vpc && reader.lane !== 'untrusted' },
    port: plan?.backend?.port ?? DEFAULT_PORT,
    environment: Object.fromEntries(opened.map(({ name, value }) => [name, value])),
    secrets: opened.filter(({ secret }) => secret).map(({ name }) => name),
  };
}

/**
 * What production shows of the backend, from the document: it is told to the port, with the calls by schedule. Where its
 * record is not there, the route stays as it is.
 */
export async function productionService(
  deps: Pick<ReleaserDeps, 'runner' | 'store' | 'sites'>,
  project: ProjectDocument,
  hasSite: boolean,
): Promise<SiteRoute['service']> {
  const { runner, store, sites } = deps;
  const release = releaseWith(project, 'backend');
  if (!runner || !release) return undefined;
  const record = (await store.get(release.deploymentId))?.record;
  if (!record) return (await sites.find(project.projectId))?.service;
  const artifact = record.builds.backend?.artifact;
  const version = await serviceVersionOf(runner, project, record, artifact, release.variables?.version);
  const shown = await serviceRoute(runner, project, version, hasSite);
  await runner.services.switchProduction(project.projectId, shown ? version : null);
  await runner.services.schedule(project.projectId, shown ? (project.settings.crons ?? []) : []);
  return shown;
}

/** What the address of one deployment shows of its backend. */
export async function previewService(
  { runner }: Pick<ReleaserDeps, 'runner'>,
  project: ProjectDocument,
  record: DeploymentRecord,
): Promise<SiteRoute['service']> {
  if (!runner || record.expired || !builtParts(record).includes('backend')) return undefined;
  // One that was not built shows the backend of the deployment that it is the same as.
  const built = { ...record, deploymentId: builtDeployment(record) };
  const version = await serviceVersionOf(runner, project, built, record.builds.backend?.artifact);
  return serviceRoute(runner, project, version, builtParts(record).includes('frontend'));
}

/**
 * The backend's part of a route, for a version that has run; absent where there is none to be shown.
 * @param hasSite The route shows a site, too.
 */
async function serviceRoute(
  { services }: ServiceRunner,
  project: ProjectDocument,
  version: ServiceVersion | null,
  hasSite: boolean,
): Promise<SiteRoute['service']> {
  if (!version) return undefined;
  const { state, address } = await services.start(version);
  if (state === 'not-run') return undefined;
  return {
    prefix: prefixOf(project.settings.service, hasSite),
    version: serviceVersionText(version),
    ...(address !== undefined && { address }),
  };
}

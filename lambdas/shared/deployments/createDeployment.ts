import { createHash } from 'node:crypto';
import type { CreateDeployment } from '../../../contract/api.ts';
import { VerenError } from '../../../contract/errors.ts';
import { CloneJobSchema, type DeploymentRequest } from '../../../contract/jobs.ts';
import type { ProjectSettings } from '../../../contract/project.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { makeRequestedEvent, type RequestedEvent } from '../../domain/events.ts';
import { emptyFacts } from '../../domain/facts.ts';
import { reduceEvent } from '../../domain/reduce.ts';
import { toRecord } from '../../domain/toRecord.ts';
import { sealRequest } from '../sealedRequest.ts';
import type { SecretBox } from '../secretBox.ts';
import { cloneJob, publishRequested, submitDeployment } from '../submit.ts';
import { claimProject, undoIfDeleted } from './claimProject.ts';
import type { CreateDeps } from './createDeps.ts';
import { supersedeOlder } from './supersede.ts';

/** What is known of a request besides what it asks for. */
interface RequestContext extends Pick<DeploymentRecord, 'askedBy' | 'redeployOf'> {
  /** Names the wish: a repeat with it gives the first deployment again. */
  readonly key?: string | undefined;
  readonly correlationId: string;
}

/**
 * Validates and stores a deployment and starts its analysis. A repeat with the same key gives the first deployment
 * again.
 */
export async function createDeployment(
  deps: CreateDeps,
  owner: string,
  asked: CreateDeployment | DeploymentRequest,
  { key, correlationId, askedBy, redeployOf }: RequestContext,
): Promise<DeploymentRecord> {
  // What a key has made already counts no second time.
  const isRepeat = key !== undefined && (await deps.store.knowsKey(owner, key));
  if (!isRepeat) await deps.limiter.limitDeployment(owner);
  const { project, request } = await claimProject(deps, owner, asked);
  // Greater than the owner's newest id even where the clock was set back: ids decide which deployment is newer.
  const [{ items }, set] = await Promise.all([
    deps.store.list({ owner, limit: 1 }),
    deps.variables.current(request.projectId),
  ]);
  const variables = set ? { variables: { version: set.version } } : {};
  const deploymentId = deps.newId(items[0]?.deploymentId);
  const placed = placeRequest(request, project.settings);
  const stored = { ...(await sealRequest(deps.secretBox, deploymentId, placed)), ...variables };
  const of = { deploymentId, projectId: request.projectId, owner, gitUrl: request.gitUrl, ref: placed.ref ?? null };
  const { trigger } = request;
  const started = { ...of, ...variables, correlationId, trigger, askedBy, redeployOf };
  const requested = makeRequestedEvent(started, deps.newId(), deps.clock.now());
  const job = cloneJob(requested, stored);
  // A job that its worker cannot read would leave the deployment waiting for ever.
  CloneJobSchema.parse(job.data);
  const created = await deps.store.create({
    ...{ requested, request: stored, job },
    ...(key !== undefined && { idempotency: { key, fingerprint: await fingerprintOf(deps.secretBox, request, key) } }),
  });
  if (created.kind === 'foreign-project') throw new VerenError('NOT_FOUND', { what: `project "${request.projectId}"` });
  if (created.kind === 'key-reused') throw new VerenError('IDEMPOTENCY_KEY_REUSED');
  if (created.kind === 'created') await undoIfDeleted(deps, deploymentId, project);
  const record = created.kind === 'replayed' ? await resumeCreate(deps, created.deploymentId) : recordOf(requested);
  deps.log.info('A deployment was accepted', { deploymentId: record.deploymentId, projectId: record.projectId });
  // The deployment is stored with its job, so it is accepted; the worker publishes the request again before its
  // analysis.
  if (created.kind === 'created')
    await publishRequested(deps, requested).catch((e) => {
      if (!(e instanceof VerenError && e.row.fault === 'transient')) throw e;
      deps.log.warn('A deployment was accepted, and its event could not be published yet', { deploymentId, error: e });
    });
  await supersedeOlder(deps, record);
  return record;
}

/** What the project says of a request that does not: without a ref its production branch is meant. An upload is of no branch. */
function placeRequest(
  // Of a redeployment: what the project of then had.
  { gitApp: _gitApp, ...request }: DeploymentRequest,
  settings: ProjectSettings,
): DeploymentRequest {
  if (request.upload !== undefined) return { ...request, environment: request.environment ?? 'preview' };
  const { productionBranch } = settings;
  const read = isReadByApp(request, settings) ? { gitApp: { repository: settings.connection!.repository } } : {};
  if (productionBranch === undefined) return { ...request, ...read };
  return { ...request, ...read, productionBranch, ref: request.ref ?? productionBranch };
}

/** The owner's App reads the project's own repository, and nothing for foreign code. */
const isReadByApp = ({ gitToken, gitUrl, lane, trigger }: DeploymentRequest, settings: ProjectSettings): boolean =>
  settings.connection?.app === true &&
  gitUrl === settings.gitUrl &&
  gitToken === undefined &&
  lane !== 'untrusted' &&
  trigger?.isFork !== true;

/** An earlier call with this key may have died before its last steps, so they are done again. */
async function resumeCreate(deps: CreateDeps, deploymentId: string): Promise<DeploymentRecord> {
  const stored = await deps.store.get(deploymentId);
  if (!stored) throw new Error(`deployment ${deploymentId} is stored but cannot be read`);
  await submitDeployment(deps, stored);
  return stored.record;
}

/** What was just stored. */
const recordOf = (requested: RequestedEvent) => toRecord(reduceEvent(emptyFacts, requested)) as DeploymentRecord;

/**
 * The fingerprint of a request, equal for every order of its fields. It is made with a key, since a short password
 * among the variables could be guessed from a plain hash.
 */
async function fingerprintOf(box: SecretBox, request: DeploymentRequest, key: string): Promise<string> {
  // A commit that a push and a pull request name is one deployment: the platform's own key says what is the same.
  if (request.trigger) return key;
  const canonical = JSON.stringify(request, (_key, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  if (request.gitToken !== undefined || request.env !== undefined) return box.fingerprint(canonical);
  return createHash('sha256').update(canonical).digest('hex');
}

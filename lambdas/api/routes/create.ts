import { createHash } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import { AcceptedSchema, CreateDeploymentSchema, ProblemSchema } from '../../../contract/api.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { DeploymentRequest } from '../../../contract/jobs.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { makeRequestedEvent, type RequestedEvent } from '../../domain/events.ts';
import { emptyFacts } from '../../domain/facts.ts';
import { reduceEvent } from '../../domain/reduce.ts';
import { toRecord } from '../../domain/toRecord.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import { sealRequest } from '../../shared/sealedRequest.ts';
import type { SecretBox } from '../../shared/secretBox.ts';
import { cloneJob, publishRequested, submitDeployment } from '../../shared/submit.ts';
import type { ApiDeps } from '../deps.ts';
import { supersedeOlder } from '../supersede.ts';
import { acceptedAnswer } from '../view.ts';

const route = createRoute({
  method: 'post',
  path: '/deployments',
  middleware: jsonOnly,
  summary: 'Deploy a repository',
  description:
    'What `frontend` and `backend` leave out is detected; `false` leaves the target out. An empty command runs nothing.',
  request: {
    headers: z.object({
      'idempotency-key': z
        .string()
        .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters without spaces')
        .optional(),
    }),
    body: { required: true, content: { 'application/json': { schema: CreateDeploymentSchema } } },
  },
  responses: {
    202: { description: 'Accepted', content: { 'application/json': { schema: AcceptedSchema } } },
    ...problemResponses(
      ProblemSchema,
      'INVALID_REQUEST',
      'MALFORMED_JSON',
      'GIT_URL_UNSUPPORTED',
      'GIT_HOST_FORBIDDEN',
      'UNAUTHORIZED',
      'NOT_FOUND',
      'BODY_TOO_LARGE',
      'IDEMPOTENCY_KEY_REUSED',
      'UNAVAILABLE',
      'DISK_FULL',
    ),
  },
});

export function registerCreate(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const request = c.req.valid('json');
    const key = c.req.valid('header')['idempotency-key'];
    const record = await createDeployment(deps, c.get('owner'), request, {
      key,
      correlationId: c.get('correlationId'),
    });
    return c.json(acceptedAnswer(deps.linkOrigin(c.env), record), 202);
  });
}

/**
 * Validates and stores a deployment and starts its analysis. A repeat with the same key gives the first deployment
 * again.
 */
export async function createDeployment(
  deps: ApiDeps,
  owner: string,
  asked: DeploymentRequest,
  { key, correlationId }: { readonly key?: string | undefined; readonly correlationId: string },
): Promise<DeploymentRecord> {
  const request: DeploymentRequest = { ...asked, gitUrl: deps.normaliseGitUrl(asked.gitUrl) };
  // Greater than the owner's newest id even where the clock was set back: ids decide which deployment is newer.
  const { items } = await deps.store.list({ owner, limit: 1 });
  const deploymentId = deps.newId(items[0]?.deploymentId);
  const stored = await sealRequest(deps.secretBox, deploymentId, request);
  const of = { deploymentId, projectId: request.projectId, owner, gitUrl: request.gitUrl, ref: request.ref ?? null };
  const requested = makeRequestedEvent({ ...of, correlationId }, deps.newId(), deps.clock.now());
  const created = await deps.store.create({
    requested,
    request: stored,
    job: cloneJob(requested, stored),
    ...(key !== undefined && { idempotency: { key, fingerprint: await fingerprintOf(deps.secretBox, request) } }),
  });
  if (created.kind === 'foreign-project') return failWith('NOT_FOUND', { what: `project "${request.projectId}"` });
  if (created.kind === 'key-reused') return failWith('IDEMPOTENCY_KEY_REUSED');
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

/** An earlier call with this key may have died before its last steps, so they are done again. */
async function resumeCreate(deps: ApiDeps, deploymentId: string): Promise<DeploymentRecord> {
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
async function fingerprintOf(box: SecretBox, request: DeploymentRequest): Promise<string> {
  const canonical = JSON.stringify(request, (_key, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  if (request.gitToken !== undefined || request.env !== undefined) return box.fingerprint(canonical);
  return createHash('sha256').update(canonical).digest('hex');
}

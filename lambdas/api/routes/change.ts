import { createRoute } from '@hono/zod-openapi';
import { AcceptedSchema, ProblemSchema, RedeploySchema } from '../../../contract/api.ts';
import type { DeploymentRequest, StoredRequest } from '../../../contract/jobs.ts';
import type { Plan } from '../../../contract/plan.ts';
import { isTerminal } from '../../../contract/record.ts';
import { cancelDeployment } from '../../shared/deployments/cancel.ts';
import { createDeployment } from '../../shared/deployments/createDeployment.ts';
import { type Api, jsonIfAny } from '../../shared/http/guard.ts';
import { idParams, ownDeployment } from '../../shared/http/ownDeployment.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import { openRequest } from '../../shared/sealedRequest.ts';
import { askedBy } from '../askedBy.ts';
import { auditDeployment } from '../auditDeployment.ts';
import type { ApiDeps } from '../deps.ts';
import { acceptedAnswer } from '../view.ts';

const answers = { 202: { description: 'Accepted', content: { 'application/json': { schema: AcceptedSchema } } } };

const cancelRoute = createRoute({
  method: 'post',
  path: '/deployments/{id}/cancel',
  summary: 'Stop a deployment',
  description: 'What waits is removed, what runs is stopped; nothing of it becomes visible afterwards.',
  request: { params: idParams },
  responses: {
    ...answers,
    ...problemResponses(
      ProblemSchema,
      'UNAUTHORIZED',
      'NOT_FOUND',
      'ALREADY_FINISHED',
      'ALREADY_PUBLISHED',
      'UNAVAILABLE',
    ),
  },
});

const redeployRoute = createRoute({
  method: 'post',
  path: '/deployments/{id}/redeploy',
  middleware: jsonIfAny,
  summary: 'Deploy the same commit again',
  description:
    'A new deployment with the same request. It builds the commit that was built, not what the branch has now. A body is not needed.',
  request: {
    params: idParams,
    body: { required: false, content: { 'application/json': { schema: RedeploySchema } } },
  },
  responses: {
    ...answers,
    ...problemResponses(
      ProblemSchema,
      'INVALID_REQUEST',
      'MALFORMED_JSON',
      'UNAUTHORIZED',
      'NOT_FOUND',
      'BODY_TOO_LARGE',
      'REQUEST_LOST',
      'SECRETS_UNREADABLE',
      'STORAGE_FULL',
      'UNAVAILABLE',
    ),
  },
});

/** Ref, branch and tag of the deployment before: a redeployment names a commit, which has neither branch nor tag. */
function resolvedOf({ branch, tag }: Plan, request: StoredRequest): Pick<DeploymentRequest, 'resolved'> {
  const ref = request.resolved ? request.resolved.ref : request.ref;
  const known = Object.entries({ ref, branch, tag }).filter(([, value]) => value !== undefined);
  return known.length === 0 ? {} : { resolved: Object.fromEntries(known) };
}

export function registerChange(app: Api, deps: ApiDeps): void {
  app.openapi(cancelRoute, async (c) => {
    const { record } = await ownDeployment(deps, c.get('caller'), c.req.valid('param').id);
    if (isTerminal(record.status)) return failWith('ALREADY_FINISHED', { status: record.status });
    await cancelDeployment(deps, record, { reason: 'user' });
    await auditDeployment(deps, c.get('caller'), 'cancel', record);
    deps.log.info('A deployment was canceled', { deploymentId: record.deploymentId, projectId: record.projectId });
    return c.json(acceptedAnswer(deps.linkOrigin(c.env), record), 202);
  });

  app.openapi(redeployRoute, async (c) => {
    const owner = c.get('owner');
    const { record, request } = await ownDeployment(deps, c.get('caller'), c.req.valid('param').id);
    if (!request) return failWith('REQUEST_LOST');
    const {
      cache: _cache,
      trigger: _trigger,
      ...same
    } = await openRequest(deps.secretBox, record.deploymentId, request);
    const { cache } = c.req.valid('json');
    // A commit alone does not tell the lane, so it is that of the deployment before.
    const lane = record.plan?.lane ?? request.lane ?? (request.ref === undefined ? 'production' : undefined);
    const environment = record.environment ?? request.environment;
    const again: DeploymentRequest = {
      ...same,
      ...(record.commit !== null && { ref: record.commit }),
      ...(record.commit !== null && lane !== undefined && { lane }),
      ...(environment !== undefined && { environment }),
      ...(record.commit !== null && record.plan && resolvedOf(record.plan, request)),
      ...(cache !== undefined && { cache }),
      // Content from elsewhere may have changed.
      force: true,
    };
    const next = await createDeployment(deps, owner, again, {
      correlationId: c.get('correlationId'),
      askedBy: askedBy(c),
      redeployOf: record.deploymentId,
    });
    await auditDeployment(deps, c.get('caller'), 'redeploy', next);
    return c.json(acceptedAnswer(deps.linkOrigin(c.env), next), 202);
  });
}

import { createRoute, z } from '@hono/zod-openapi';
import { AcceptedSchema, CreateDeploymentSchema, ProblemSchema } from '../../../contract/api.ts';
import { mayUseProject } from '../../../contract/people.ts';
import { createDeployment } from '../../shared/deployments/createDeployment.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import { askedBy } from '../askedBy.ts';
import { auditDeployment } from '../auditDeployment.ts';
import type { ApiDeps } from '../deps.ts';
import { acceptedAnswer } from '../view.ts';

/** An upload has no branches, no history and nothing that a token would be for. */
const OneSourceSchema = CreateDeploymentSchema.superRefine((request, c) => {
  if (request.upload === undefined) return;
  for (const name of ['gitUrl', 'ref', 'gitToken', 'git'] as const)
    if (request[name] !== undefined)
      c.addIssue({ code: 'custom', path: [name], message: 'cannot be given together with "upload"' });
});

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
    body: { required: true, content: { 'application/json': { schema: OneSourceSchema } } },
  },
  responses: {
    202: { description: 'Accepted', content: { 'application/json': { schema: AcceptedSchema } } },
    ...problemResponses(
      ProblemSchema,
      'INVALID_REQUEST',
      'MALFORMED_JSON',
      'GIT_URL_UNSUPPORTED',
      'GIT_HOST_FORBIDDEN',
      'GIT_URL_MISSING',
      'UPLOAD_UNKNOWN',
      'UPLOAD_INCOMPLETE',
      'UPLOAD_TOO_LARGE',
      'UNAUTHORIZED',
      'NOT_FOUND',
      'PROJECT_DELETING',
      'BODY_TOO_LARGE',
      'IDEMPOTENCY_KEY_REUSED',
      'STORAGE_FULL',
      'UNAVAILABLE',
      'DISK_FULL',
    ),
  },
});

export function registerCreate(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const request = c.req.valid('json');
    const key = c.req.valid('header')['idempotency-key'];
    if (!mayUseProject(c.get('caller'), request.projectId))
      return failWith('NOT_FOUND', { what: `project "${request.projectId}"` });
    if (request.upload !== undefined) {
      await deps.findProject(request.projectId, c.get('owner'));
      await deps.uploads.requireComplete(request.projectId, request.upload);
    }
    const record = await createDeployment(deps, c.get('owner'), request, {
      key,
      correlationId: c.get('correlationId'),
      askedBy: askedBy(c),
    });
    await auditDeployment(deps, c.get('caller'), 'create', record);
    return c.json(acceptedAnswer(deps.linkOrigin(c.env), record), 202);
  });
}

import { randomBytes } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { changeFailures, problemResponses } from '../../shared/http/problem.ts';
import { requireActive } from '../../shared/projects/findProject.ts';
import { queueProject } from '../../shared/queueRelease.ts';
import { hashSecret } from '../../shared/sites/protection.ts';
import type { ApiDeps } from '../deps.ts';

const MIN_PASSWORD = 8;
const MAX_PASSWORD = 200;
const SALT_BYTES = 12;

const PasswordSchema = z.strictObject({
  /** Null takes it away: then nobody opens previews that need one. */
  password: z
    .string()
    .min(MIN_PASSWORD)
    .max(MAX_PASSWORD)
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters')
    .nullable(),
});

const route = createRoute({
  method: 'put',
  path: '/projects/{id}/preview-password',
  middleware: jsonOnly,
  summary: 'Set the password of previews',
  description:
    'Asked for where the setting `previews.protection` is `password`, by HTTP Basic with any user name. It is kept as a hash and never given back.',
  request: {
    params: z.object({ id: ProjectIdSchema }),
    body: { required: true, content: { 'application/json': { schema: PasswordSchema } } },
  },
  responses: {
    204: { description: 'Set; previews ask for it within seconds' },
    ...problemResponses(ProblemSchema, ...changeFailures, 'UNAVAILABLE'),
  },
});

export function registerPreviewPassword(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { password } = c.req.valid('json');
    const { owner, name: by } = c.get('caller');
    await deps.findProject(id, owner);
    const kept = password === null ? undefined : hashSecret(randomBytes(SALT_BYTES).toString('base64url'), password);
    const changed = await deps.projects.change(id, (before) => ({ ...requireActive(before), previewPassword: kept }));
    await deps.audit({ owner, by, action: 'previews.password', projectId: id });
    if (changed) await queueProject(deps, { projectId: id, owner }, changed.updatedAt);
    return c.body(null, 204);
  });
}

import { createRoute, z } from '@hono/zod-openapi';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import { CreateUploadSchema, UploadSchema } from '../../../contract/uploads.ts';
import { claimSettings } from '../../shared/deployments/claimProject.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';

const route = createRoute({
  method: 'post',
  path: '/projects/{id}/uploads',
  middleware: jsonOnly,
  summary: 'Upload a folder',
  description:
    'For a folder without git: says which of its files the project lacks and where each is sent by PUT; asked again with `base`, it gives the next ones, or none when the folder can be deployed (`upload` of `POST /deployments`). A large folder is given in several requests, each with the answer before as its `base`. Files are kept for 14 days: 2 GiB of a project with the lists of its folders, and 8 GiB of packs; an owner uploads 1,000 different folders, or parts of folders, an hour. A project that is not there is made.',
  request: {
    params: z.object({ id: ProjectIdSchema }),
    body: { required: true, content: { 'application/json': { schema: CreateUploadSchema } } },
  },
  responses: {
    200: { description: 'What is lacking', content: { 'application/json': { schema: UploadSchema } } },
    ...problemResponses(
      ProblemSchema,
      'INVALID_REQUEST',
      'MALFORMED_JSON',
      'UPLOAD_INVALID',
      'UNAUTHORIZED',
      'NOT_FOUND',
      'UPLOAD_UNKNOWN',
      'PROJECT_DELETING',
      'PROJECT_DELETED',
      'BODY_TOO_LARGE',
      'UPLOAD_TOO_LARGE',
      'UPLOAD_RATE_LIMITED',
      'STORAGE_FULL',
      'UNAVAILABLE',
      'DISK_FULL',
    ),
  },
});

export function registerUploads(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const owner = c.get('owner');
    await deps.limiter.limitStorage(owner);
    // Made before anything of it is stored: another owner's project of this name must not inherit the files.
    await claimSettings(deps, owner, id, {});
    return c.json(await deps.uploads.note(id, c.req.valid('json'), () => deps.limiter.limitUpload(owner)), 200);
  });
}

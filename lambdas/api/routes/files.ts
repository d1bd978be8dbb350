import { createRoute } from '@hono/zod-openapi';
import { ProblemSchema } from '../../../contract/api.ts';
import { FilesQuerySchema, PublishedFilesSchema } from '../../../contract/files.ts';
import { builtDeployment } from '../../domain/sameAs.ts';
import type { Api } from '../../shared/http/guard.ts';
import { idParams, ownDeployment } from '../../shared/http/ownDeployment.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';

const route = createRoute({
  method: 'get',
  path: '/deployments/{id}/files',
  summary: 'The files of its site',
  description:
    'What it has published, with sizes in bytes. Its backend is not listed: the record has its image and the size of that. ' +
    'A deployment without a site, or whose files were removed, answers 404.',
  request: { params: idParams, query: FilesQuerySchema },
  responses: {
    200: { description: 'One page', content: { 'application/json': { schema: PublishedFilesSchema } } },
    ...problemResponses(ProblemSchema, 'INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'UNAVAILABLE'),
  },
});

export function registerFiles(app: Api, deps: Pick<ApiDeps, 'store' | 'readFiles'>): void {
  app.openapi(route, async (c) => {
    const { record } = await ownDeployment(deps, c.get('caller'), c.req.valid('param').id);
    const { sort, limit, cursor = 0 } = c.req.valid('query');
    // A manifest is there before a publication is decided: what was never to be seen is not listed either.
    const hasSite = record.builds.frontend?.artifact?.kind === 'static' && !record.expired;
    const site = hasSite ? await deps.readFiles(record.projectId, builtDeployment(record)) : null;
    if (!site) return failWith('NOT_FOUND', { what: `site of deployment "${record.deploymentId}"` });
    const files = site.items.toSorted((a, b) => (sort === 'size' && b.bytes - a.bytes) || comparePaths(a.path, b.path));
    const end = cursor + limit;
    const more = end < files.length && { cursor: String(end) };
    return c.json({ items: files.slice(cursor, end), files: site.files, bytes: site.bytes, ...more }, 200);
  });
}

const comparePaths = (a: string, b: string) => (a < b ? -1 : Number(a > b));

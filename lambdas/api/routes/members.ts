import { createRoute, z } from '@hono/zod-openapi';
import { ProblemSchema } from '../../../contract/api.ts';
import {
  MAX_MEMBERS,
  MemberListSchema,
  MemberNameSchema,
  MemberSchema,
  PutMemberSchema,
} from '../../../contract/people.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';

const listMembersRoute = createRoute({
  method: 'get',
  path: '/members',
  summary: 'The people of the owner, with their roles',
  responses: {
    200: { description: 'All of them', content: { 'application/json': { schema: MemberListSchema } } },
    ...problemResponses(ProblemSchema, 'UNAUTHORIZED', 'FORBIDDEN', 'UNAVAILABLE'),
  },
});

const putMemberRoute = createRoute({
  method: 'put',
  path: '/members/{name}',
  middleware: jsonOnly,
  summary: 'Add a member, or change the role of one',
  description: 'A lower role counts for the tokens that the member has already.',
  request: {
    params: z.object({ name: MemberNameSchema }),
    body: { required: true, content: { 'application/json': { schema: PutMemberSchema } } },
  },
  responses: {
    200: { description: 'The member', content: { 'application/json': { schema: MemberSchema } } },
    ...problemResponses(
      ...([ProblemSchema, 'INVALID_REQUEST', 'MALFORMED_JSON', 'UNAUTHORIZED', 'FORBIDDEN', 'TOO_MANY'] as const),
      ...(['NAME_TAKEN', 'BODY_TOO_LARGE', 'UNAVAILABLE', 'DISK_FULL'] as const),
    ),
  },
});

const deleteMemberRoute = createRoute({
  method: 'delete',
  path: '/members/{name}',
  summary: 'Remove a member, and revoke the tokens that are the member’s',
  request: { params: z.object({ name: z.string() }) },
  responses: {
    204: { description: 'Removed' },
    ...problemResponses(ProblemSchema, 'UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND', 'UNAVAILABLE', 'DISK_FULL'),
  },
});

export function registerMembers(app: Api, deps: Pick<ApiDeps, 'owners' | 'audit' | 'clock'>): void {
  app.openapi(listMembersRoute, async (c) => {
    const { members } = await deps.owners.read(c.get('owner'));
    return c.json({ items: members }, 200);
  });

  app.openapi(putMemberRoute, async (c) => {
    const { owner, name: by } = c.get('caller');
    const { name } = c.req.valid('param');
    const { role } = c.req.valid('json');
    const addedAt = new Date(deps.clock.now()).toISOString();
    let was: string | undefined;
    const { members } = await deps.owners.change(owner, (before) => {
      const known = before.members.find((m) => m.name === name);
      was = known?.role;
      if (known) {
        if (known.role === role) return before;
        return { ...before, members: before.members.map((m) => (m === known ? { ...m, role } : m)) };
      }
      if (before.members.some((m) => m.name.toLowerCase() === name.toLowerCase()))
        return failWith('NAME_TAKEN', { what: 'member', name });
      if (before.members.length >= MAX_MEMBERS) return failWith('TOO_MANY', { limit: MAX_MEMBERS, what: 'members' });
      return { ...before, members: [...before.members, { name, role, addedAt }] };
    });
    const detail = was === undefined ? role : `${was} → ${role}`;
    if (was !== role)
      await deps.audit({ owner, by, action: was ? 'member.update' : 'member.add', subject: name, detail });
    return c.json(members.find((m) => m.name === name) ?? { name, role, addedAt }, 200);
  });

  app.openapi(deleteMemberRoute, async (c) => {
    const { owner, name: by } = c.get('caller');
    const { name } = c.req.valid('param');
    let revoked: string[] = [];
    await deps.owners.change(owner, (before) => {
      if (!before.members.some((m) => m.name === name))
        return failWith('NOT_FOUND', { what: `member "${name.slice(0, 64)}"` });
      revoked = before.tokens.flatMap((t) => (t.member === name ? [t.name] : []));
      return {
        ...before,
        members: before.members.filter((m) => m.name !== name),
        tokens: before.tokens.filter((t) => t.member !== name),
      };
    });
    const detail = revoked.length === 0 ? 'had no tokens' : `revoked tokens: ${revoked.join(', ')}`.slice(0, 1_000);
    await deps.audit({ owner, by, action: 'member.remove', subject: name, detail });
    return c.body(null, 204);
  });
}

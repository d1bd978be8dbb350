import type { AuditList, CreatedToken, CreateToken, Member, Role, TokenView, Usage } from '../../contract/people.ts';
import { callApi, pathOf } from './callApi.ts';

export const listTokens = (signal?: AbortSignal) =>
  callApi<{ items: TokenView[] }>('GET', '/tokens', signal ? { signal } : {});
/** The answer is the only one that shows the token. */
export const createToken = (request: CreateToken) => callApi<CreatedToken>('POST', '/tokens', { body: request });
export const revokeToken = (id: string) => callApi<null>('DELETE', pathOf('tokens', id));

export const listMembers = (signal?: AbortSignal) =>
  callApi<{ items: Member[] }>('GET', '/members', signal ? { signal } : {});
/** Adds the member, or gives another role. */
export const putMember = (name: string, role: Role) =>
  callApi<Member>('PUT', pathOf('members', name), { body: { role } });
/** With the member's tokens. */
export const removeMember = (name: string) => callApi<null>('DELETE', pathOf('members', name));

export const getUsage = (signal?: AbortSignal) => callApi<Usage>('GET', '/usage', signal ? { signal } : {});
/** One page, newest first. */
export const listAudit = (query: { cursor?: string }, signal?: AbortSignal) =>
  callApi<AuditList>('GET', '/audit', { query, ...(signal && { signal }) });

import type { CommitState } from '../../../../contract/gitHosts.ts';
import { cutText, type HostAdapter, type HostAnswer, readCommentList, readId, wholeSegment } from '../hostAdapter.ts';

/** Longest description of a status. Source: GitLab's table of statuses, a column of 255 characters. */
const MAX_DESCRIPTION = 255;

const STATES: Readonly<Record<CommitState, string>> = {
  pending: 'pending',
  success: 'success',
  failure: 'failed',
  canceled: 'canceled',
};

/**
 * GitLab, by itself and self-managed (whose API begins with `https://host/api/v4`).
 * Source: GitLab's API reference, "Commits API: Set commit pipeline status" and "Notes API: Merge requests".
 */
export const gitlabAdapter: HostAdapter = {
  publicApi: 'https://gitlab.com/api/v4',
  authorize: (token) => ({ 'private-token': token, accept: 'application/json' }),
  statusCall: (repository, { commit, state, description, url, context }) => ({
    method: 'POST',
    path: `/projects/${wholeSegment(repository)}/statuses/${commit}`,
    body: {
      state: STATES[state],
      name: context,
      description: cutText(description, MAX_DESCRIPTION),
      ...(url !== undefined && { target_url: url }),
    },
  }),
  // A status is a job with states: one that is pending cannot become pending.
  isKnownStatus: ({ status, body }: HostAnswer) =>
    status === 400 && /Cannot transition status via/i.test(JSON.stringify(body) ?? ''),
  listCall: (repository, number, page) => ({
    method: 'GET',
    path: `/projects/${wholeSegment(repository)}/merge_requests/${number}/notes?sort=asc&order_by=created_at&per_page=100&page=${page}`,
  }),
  readComments: (body) => readCommentList(body, ({ body: text }) => text),
  createCall: (repository, number, text) => ({
    method: 'POST',
    path: `/projects/${wholeSegment(repository)}/merge_requests/${number}/notes`,
    body: { body: text },
  }),
  updateCall: (repository, number, id, text) => ({
    method: 'PUT',
    path: `/projects/${wholeSegment(repository)}/merge_requests/${number}/notes/${id}`,
    body: { body: text },
  }),
  readCommentId: readId,
  hideMarker: (marker) => `<!-- ${marker} -->`,
};

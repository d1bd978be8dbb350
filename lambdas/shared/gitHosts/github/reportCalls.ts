import type { CommitState } from '../../../../contract/gitHosts.ts';
import { cutText, type HostAdapter, readCommentList, readId, twoSegments } from '../hostAdapter.ts';

/** Longest description of a status. Source: GitHub's answer 422, "description is too long (maximum is 140 characters)". */
const MAX_DESCRIPTION = 140;

const STATES: Readonly<Record<CommitState, string>> = {
  pending: 'pending',
  success: 'success',
  failure: 'failure',
  // There is no neutral state, and a commit that was not deployed must not pass a required status.
  canceled: 'error',
};

/**
 * GitHub and GitHub Enterprise Server (whose API begins with `https://host/api/v3`).
 * Source: GitHub's REST reference, "Commit statuses" and "Issue comments", version 2022-11-28.
 */
export const githubAdapter: HostAdapter = {
  publicApi: 'https://api.github.com',
  authorize: (token) => ({
    authorization: `Bearer ${token}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
  }),
  statusCall: (repository, { commit, state, description, url, context }) => ({
    method: 'POST',
    path: `/repos/${twoSegments(repository)}/statuses/${commit}`,
    body: {
      state: STATES[state],
      context,
      description: cutText(description, MAX_DESCRIPTION),
      ...(url !== undefined && { target_url: url }),
    },
  }),
  listCall: (repository, number, page) => ({
    method: 'GET',
    path: `/repos/${twoSegments(repository)}/issues/${number}/comments?per_page=100&page=${page}`,
  }),
  readComments: (body) => readCommentList(body, ({ body: text }) => text),
  createCall: (repository, number, text) => ({
    method: 'POST',
    path: `/repos/${twoSegments(repository)}/issues/${number}/comments`,
    body: { body: text },
  }),
  updateCall: (repository, _number, id, text) => ({
    method: 'PATCH',
    path: `/repos/${twoSegments(repository)}/issues/comments/${id}`,
    body: { body: text },
  }),
  readCommentId: readId,
  hideMarker: (marker) => `<!-- ${marker} -->`,
};

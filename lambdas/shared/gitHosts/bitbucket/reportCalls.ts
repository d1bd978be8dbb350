import { createHash } from 'node:crypto';
import type { CommitState } from '../../../../contract/gitHosts.ts';
import { cutText, type HostAdapter, readCommentList, readId, twoSegments } from '../hostAdapter.ts';

/** Longest key of a build status. Source: Bitbucket's REST reference, "Create a build status for a commit". */
const MAX_KEY = 40;
const MAX_DESCRIPTION = 255;

const STATES: Readonly<Record<CommitState, string>> = {
  pending: 'INPROGRESS',
  success: 'SUCCESSFUL',
  failure: 'FAILED',
  canceled: 'STOPPED',
};

/** A context that is too long is shortened, with a hash of the whole, so that two projects never share a key. */
const keyOf = (context: string): string =>
  context.length <= MAX_KEY
    ? context
    : `${context.slice(0, MAX_KEY - 9)}-${createHash('sha256').update(context).digest('hex').slice(0, 8)}`;

/**
 * Bitbucket Cloud.
 * Source: Bitbucket's REST reference 2.0, "Commit statuses" and "Pullrequests: comments".
 */
export const bitbucketAdapter: HostAdapter = {
  publicApi: 'https://api.bitbucket.org',
  authorize: (token) => ({ authorization: `Bearer ${token}`, accept: 'application/json' }),
  statusCall: (repository, { commit, state, description, url, context }) => ({
    method: 'POST',
    path: `/2.0/repositories/${twoSegments(repository)}/commit/${commit}/statuses/build`,
    body: {
      state: STATES[state],
      key: keyOf(context),
      name: context,
      description: cutText(description, MAX_DESCRIPTION),
      // A build status needs an address; the commit's own page where there is nothing to open yet.
      url: url ?? `https://bitbucket.org/${twoSegments(repository)}/commits/${commit}`,
    },
  }),
  listCall: (repository, number, page) => ({
    method: 'GET',
    path: `/2.0/repositories/${twoSegments(repository)}/pullrequests/${number}/comments?sort=created_on&pagelen=100&page=${page}`,
  }),
  readComments: (body) =>
    readCommentList((body as { values?: unknown } | undefined)?.values, (comment) =>
      comment.deleted === true ? undefined : (comment.content as { raw?: unknown } | undefined)?.raw,
    ),
  createCall: (repository, number, text) => ({
    method: 'POST',
    path: `/2.0/repositories/${twoSegments(repository)}/pullrequests/${number}/comments`,
    body: { content: { raw: text } },
  }),
  updateCall: (repository, number, id, text) => ({
    method: 'PUT',
    path: `/2.0/repositories/${twoSegments(repository)}/pullrequests/${number}/comments/${id}`,
    body: { content: { raw: text } },
  }),
  readCommentId: readId,
  // Comments of HTML are shown as they are; a definition of a link is not shown.
  hideMarker: (marker) => `[//]: # (${marker})`,
};

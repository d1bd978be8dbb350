import { githubAdapter } from '../github/reportCalls.ts';
import { type HostAdapter, twoSegments } from '../hostAdapter.ts';

/**
 * Gitea and Forgejo (whose API begins with `https://host/api/v1`), which take GitHub's bodies.
 * Source: Gitea's OpenAPI document, "repoCreateStatus", "issueCreateComment", "issueEditComment".
 */
export const giteaAdapter: HostAdapter = {
  ...omitPublicApi(githubAdapter),
  authorize: (token) => ({ authorization: `token ${token}`, accept: 'application/json' }),
  // All comments come at once: the list has no pages.
  listCall: (repository, number, page) => ({
    method: 'GET',
    path: `/repos/${twoSegments(repository)}/issues/${number}/comments?page=${page}&limit=100`,
  }),
};

function omitPublicApi({ publicApi, ...adapter }: HostAdapter): HostAdapter {
  return adapter;
}

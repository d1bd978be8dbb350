import { z } from 'zod';
import type { GitDelivery, HostedRepository } from '../../../contract/gitHosts.ts';
import { checkDelivery, commitOrNull, cutText, MAX_MESSAGE, MAX_TITLE, nothing, readRefName } from './deliveryParts.ts';

/** The payloads of GitHub, whose form Gitea and Forgejo have taken over. */

const RepositorySchema = z.object({
  id: z.number(),
  full_name: z.string(),
  clone_url: z.string(),
});
const PersonSchema = z.object({ login: z.string() });

const PushSchema = z.object({
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  deleted: z.boolean().optional(),
  head_commit: z.object({ id: z.string(), message: z.string() }).nullish(),
  repository: RepositorySchema,
  sender: PersonSchema.optional(),
});

const SideSchema = z.object({ ref: z.string(), sha: z.string(), repo: RepositorySchema.nullable() });
const PullRequestSchema = z.object({
  action: z.string(),
  number: z.number(),
  pull_request: z.object({
    title: z.string().nullish(),
    draft: z.boolean().nullish(),
    user: PersonSchema.nullish(),
    head: SideSchema,
    base: SideSchema,
  }),
  repository: RepositorySchema,
});

const readRepository = ({ id, full_name, clone_url }: z.output<typeof RepositorySchema>): HostedRepository => ({
  id: String(id),
  name: full_name,
  gitUrl: clone_url,
});

export function readHubPush(body: unknown): GitDelivery {
  const { data } = PushSchema.safeParse(body);
  if (!data) return nothing('It does not have the form of a push.');
  const ref = readRefName(data.ref);
  if (!ref) return nothing('What was pushed is neither a branch nor a tag.');
  // An annotated tag is an object of its own; the commit is what it points at.
  const pushed = ref.kind === 'tag' ? (data.head_commit?.id ?? data.after) : data.after;
  return checkDelivery({
    kind: 'push',
    repository: readRepository(data.repository),
    ref,
    commit: data.deleted ? null : commitOrNull(pushed),
    before: commitOrNull(data.before),
    message: cutText(data.head_commit?.message, MAX_MESSAGE),
    pusher: cutText(data.sender?.login, 200),
  });
}

/** @param actions What each action that something follows from means. */
export function readHubPullRequest(
  body: unknown,
  actions: ReadonlyMap<string, 'changed' | 'closed'>,
  isDraft: (title: string) => boolean = () => false,
): GitDelivery {
  const { data } = PullRequestSchema.safeParse(body);
  if (!data) return nothing('It does not have the form of a pull request.');
  const action = actions.get(data.action);
  if (!action) return nothing(`Nothing follows from the action "${data.action}" of a pull request.`);
  const { head, base, title, draft, user } = data.pull_request;
  const repository = readRepository(data.repository);
  // A fork that was deleted has no repository any more. What it had proposed stays foreign.
  // What was proposed without a branch is foreign, too, though it is in the repository itself: who may read may do it.
  // Source: Gitea documentation, "AGit workflow": head.ref is `refs/pull/{number}/head`.
  const isFork = head.repo?.id !== data.repository.id || head.ref.startsWith('refs/');
  return checkDelivery({
    kind: 'pullRequest',
    repository,
    number: data.number,
    action,
    draft: draft || isDraft(title ?? ''),
    title: cutText(title, MAX_TITLE),
    commit: head.sha,
    branch: head.ref,
    base: base.ref,
    from: head.repo ? readRepository(head.repo) : { name: 'deleted/fork', gitUrl: repository.gitUrl },
    isFork,
    author: cutText(user?.login, 200),
  });
}

const DeletedSchema = z.object({ ref: z.string(), ref_type: z.string(), repository: RepositorySchema });

/** The event `delete` of a host that sends no push for it. */
export function readHubDeletion(body: unknown): GitDelivery {
  const { data } = DeletedSchema.safeParse(body);
  if (!data || !['branch', 'tag'].includes(data.ref_type)) return nothing('What was deleted is no branch and no tag.');
  const ref = { kind: data.ref_type, name: data.ref.replace(/^refs\/(heads|tags)\//, '') };
  const repository = readRepository(data.repository);
  return checkDelivery({ kind: 'push', repository, ref, commit: null, before: null });
}

const RenamedSchema = z.object({
  action: z.string(),
  changes: z
    .object({
      repository: z.object({ name: z.object({ from: z.string() }) }).optional(),
      owner: z
        .object({ from: z.object({ user: PersonSchema.nullish(), organization: PersonSchema.nullish() }) })
        .optional(),
    })
    .optional(),
  repository: RepositorySchema,
});

export function readHubRename(body: unknown): GitDelivery {
  const { data } = RenamedSchema.safeParse(body);
  if (!data || !['renamed', 'transferred'].includes(data.action))
    return nothing('Nothing follows from this change of the repository.');
  const repository = readRepository(data.repository);
  const [owner = '', name = ''] = repository.name.split('/');
  const { from } = data.changes?.owner ?? {};
  const formerOwner = from?.user?.login ?? from?.organization?.login ?? owner;
  const formerName = `${formerOwner}/${data.changes?.repository?.name.from ?? name}`;
  return checkDelivery({ kind: 'renamed', repository, formerName });
}

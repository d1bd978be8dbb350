import { z } from 'zod';
import type { GitDelivery, HostedRepository } from '../../../../contract/gitHosts.ts';
import { checkDelivery, cutText, MAX_MESSAGE, MAX_TITLE, nothing } from '../deliveryParts.ts';
import type { HookHost } from '../hookHost.ts';
import { isHubSigned } from '../hookSignature.ts';

const RepositorySchema = z.object({
  uuid: z.string(),
  full_name: z.string(),
  links: z.object({ html: z.object({ href: z.string() }) }),
});
const ActorSchema = z.object({ nickname: z.string().nullish(), display_name: z.string().nullish() }).nullish();
const TargetSchema = z.object({ hash: z.string(), message: z.string().nullish() });
const RefSchema = z.object({ type: z.string(), name: z.string(), target: TargetSchema }).nullable();

const PushSchema = z.object({
  actor: ActorSchema,
  repository: RepositorySchema,
  push: z.object({ changes: z.array(z.object({ old: RefSchema, new: RefSchema })).max(1_000) }),
});

const SideSchema = z.object({
  branch: z.object({ name: z.string() }),
  commit: z.object({ hash: z.string() }).nullable(),
  repository: RepositorySchema.nullable(),
});
const PullRequestSchema = z.object({
  repository: RepositorySchema,
  pullrequest: z.object({
    id: z.number(),
    title: z.string().nullish(),
    draft: z.boolean().nullish(),
    author: ActorSchema,
    source: SideSchema,
    destination: SideSchema,
  }),
});

const RenamedSchema = z.object({
  repository: RepositorySchema,
  changes: z.object({ full_name: z.object({ old: z.string() }) }),
});

const readRepository = ({ uuid, full_name, links }: z.output<typeof RepositorySchema>): HostedRepository => ({
  id: uuid,
  name: full_name,
  gitUrl: `${links.html.href}.git`,
});
const nameOf = (actor: z.output<typeof ActorSchema>) => cutText(actor?.nickname ?? actor?.display_name, 200);

/** Of one push: each is a job, and the host waits for the answer. */
const MAX_REFS = 500;

function readPush(body: unknown): GitDelivery[] {
  const { data } = PushSchema.safeParse(body);
  if (!data) return [nothing('It does not have the form of a push.')];
  return data.push.changes.slice(0, MAX_REFS).map((change) => {
    const ref = change.new ?? change.old;
    if (!ref || !['branch', 'named_branch', 'tag', 'annotated_tag'].includes(ref.type))
      return nothing('What was pushed is neither a branch nor a tag.');
    return checkDelivery({
      kind: 'push',
      repository: readRepository(data.repository),
      ref: { kind: ref.type.endsWith('branch') ? 'branch' : 'tag', name: ref.name },
      commit: change.new?.target.hash ?? null,
      before: change.old?.target.hash ?? null,
      message: cutText(change.new?.target.message, MAX_MESSAGE),
      pusher: nameOf(data.actor),
    });
  });
}

function readPullRequest(body: unknown, action: 'changed' | 'closed'): GitDelivery {
  const { data } = PullRequestSchema.safeParse(body);
  if (!data) return nothing('It does not have the form of a pull request.');
  const { id, title, draft, author, source, destination } = data.pullrequest;
  const repository = readRepository(data.repository);
  if (!source.commit) return nothing('The branch that was proposed has no commit any more.');
  return checkDelivery({
    kind: 'pullRequest',
    repository,
    number: id,
    action,
    draft: draft ?? false,
    title: cutText(title, MAX_TITLE),
    // Only the first twelve digits are sent.
    commit: source.commit.hash,
    branch: source.branch.name,
    base: destination.branch.name,
    from: source.repository ? readRepository(source.repository) : { ...repository, id: undefined },
    isFork: source.repository?.uuid !== data.repository.uuid,
    author: nameOf(author),
  });
}

function readRename(body: unknown): GitDelivery {
  const { data } = RenamedSchema.safeParse(body);
  if (!data) return nothing('Nothing follows from this change of the repository.');
  const { old: formerName } = data.changes.full_name;
  return checkDelivery({ kind: 'renamed', repository: readRepository(data.repository), formerName });
}

const PULL_REQUESTS: ReadonlyMap<string, 'changed' | 'closed'> = new Map([
  ['pullrequest:created', 'changed'],
  ['pullrequest:updated', 'changed'],
  ['pullrequest:fulfilled', 'closed'],
  ['pullrequest:rejected', 'closed'],
]);

/** Bitbucket Cloud. Source: Bitbucket documentation, "Event payloads", "Manage webhooks". */
export const bitbucketHooks: HookHost = {
  isGenuine: ({ header, secret, body }) => isHubSigned(header('X-Hub-Signature'), secret, body),
  deliveryId: (header) => header('X-Request-UUID'),
  read(header, body) {
    const event = header('X-Event-Key') ?? '';
    if (event === 'repo:push') return readPush(body);
    if (event === 'repo:updated') return [readRename(body)];
    const action = PULL_REQUESTS.get(event);
    if (action) return [readPullRequest(body, action)];
    if (event === 'diagnostics:ping') return [nothing('The hook works.')];
    return [nothing(`Nothing follows from the event "${event.slice(0, 100)}".`)];
  },
};

import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { GitDelivery } from '../../../../contract/gitHosts.ts';
import {
  checkDelivery,
  commitOrNull,
  cutText,
  MAX_MESSAGE,
  MAX_TITLE,
  nothing,
  readRefName,
} from '../deliveryParts.ts';
import type { HookHost } from '../hookHost.ts';
import { equalSecrets } from '../hookSignature.ts';

const ProjectSchema = z.object({ id: z.number(), path_with_namespace: z.string(), git_http_url: z.string() });
/** The projects of a merge request come without an id, which is beside them. */
const SideSchema = ProjectSchema.omit({ id: true });

const PushSchema = z.object({
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  checkout_sha: z.string().nullish(),
  user_username: z.string().nullish(),
  project: ProjectSchema,
  commits: z.array(z.object({ id: z.string(), message: z.string() })).nullish(),
});

const MergeRequestSchema = z.object({
  user: z.object({ username: z.string() }).optional(),
  project: ProjectSchema,
  object_attributes: z.object({
    iid: z.number(),
    action: z.string().optional(),
    title: z.string().nullish(),
    draft: z.boolean().optional(),
    work_in_progress: z.boolean().optional(),
    source_branch: z.string(),
    target_branch: z.string(),
    source_project_id: z.number().nullable(),
    target_project_id: z.number(),
    source: SideSchema.nullish(),
    last_commit: z.object({ id: z.string(), message: z.string().nullish() }),
  }),
});

const readProject = ({ path_with_namespace, git_http_url }: z.output<typeof SideSchema>, id: number) => ({
  id: String(id),
  name: path_with_namespace,
  gitUrl: git_http_url,
});

function readPush(body: unknown): GitDelivery {
  const { data } = PushSchema.safeParse(body);
  if (!data) return nothing('It does not have the form of a push.');
  const ref = readRefName(data.ref);
  if (!ref) return nothing('What was pushed is neither a branch nor a tag.');
  // `after` of an annotated tag is the tag itself.
  const commit = commitOrNull(data.after) && commitOrNull(data.checkout_sha ?? data.after);
  return checkDelivery({
    kind: 'push',
    repository: readProject(data.project, data.project.id),
    ref,
    commit,
    before: commitOrNull(data.before),
    message: cutText(data.commits?.find(({ id }) => id === commit)?.message, MAX_MESSAGE),
    pusher: cutText(data.user_username, 200),
  });
}

const ACTIONS: ReadonlyMap<string, 'changed' | 'closed'> = new Map([
  ...['open', 'update', 'reopen'].map((action) => [action, 'changed'] as const),
  ...['close', 'merge'].map((action) => [action, 'closed'] as const),
]);

function readMergeRequest(body: unknown): GitDelivery {
  const { data } = MergeRequestSchema.safeParse(body);
  if (!data) return nothing('It does not have the form of a merge request.');
  const { object_attributes: request, project } = data;
  const action = ACTIONS.get(request.action ?? '');
  if (!action) return nothing(`Nothing follows from the action "${request.action}" of a merge request.`);
  const repository = readProject(project, project.id);
  const { source, source_project_id: sourceId } = request;
  return checkDelivery({
    kind: 'pullRequest',
    repository,
    number: request.iid,
    action,
    draft: request.draft ?? request.work_in_progress ?? false,
    title: cutText(request.title, MAX_TITLE),
    commit: request.last_commit.id,
    message: cutText(request.last_commit.message, MAX_MESSAGE),
    branch: request.source_branch,
    base: request.target_branch,
    from: source && sourceId !== null ? readProject(source, sourceId) : { ...repository, id: undefined },
    isFork: sourceId !== request.target_project_id,
    author: cutText(data.user?.username, 200),
  });
}

/** How old or new a signed delivery may be. Source: the specification of Standard Webhooks, "Verifying webhooks". */
const TOLERANCE_SECONDS = 300;
const SIGNING_TOKEN = 'whsec_';

/** Signed deliveries have the form of Standard Webhooks. Source: GitLab documentation, "Webhooks", signing tokens. */
function isSigned(signatures: string, hook: Parameters<HookHost['isGenuine']>[0]): boolean {
  const { header, secret, body, now } = hook;
  const [id = '', time = ''] = [header('webhook-id'), header('webhook-timestamp')];
  if (!/^\d{1,12}$/.test(time) || Math.abs(now / 1_000 - Number(time)) > TOLERANCE_SECONDS) return false;
  const key = secret.startsWith(SIGNING_TOKEN) ? Buffer.from(secret.slice(SIGNING_TOKEN.length), 'base64') : secret;
  const wanted = createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest('base64');
  // There may be several, one for each key.
  return signatures.split(' ', 10).some((given) => equalSecrets(given, `v1,${wanted}`));
}

/** Source: GitLab documentation, "Webhook events". */
export const gitlabHooks: HookHost = {
  isGenuine(hook) {
    const signatures = hook.header('webhook-signature');
    if (signatures !== undefined) return isSigned(signatures, hook);
    return equalSecrets(hook.header('X-Gitlab-Token') ?? '', hook.secret);
  },
  deliveryId: (header) => header('webhook-id') ?? header('Idempotency-Key') ?? header('X-Gitlab-Event-UUID'),
  read(header, body) {
    const event = header('X-Gitlab-Event') ?? '';
    if (event === 'Push Hook' || event === 'Tag Push Hook') return [readPush(body)];
    if (event === 'Merge Request Hook') return [readMergeRequest(body)];
    return [nothing(`Nothing follows from the event "${event.slice(0, 100)}".`)];
  },
};

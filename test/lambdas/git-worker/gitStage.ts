import { createHmac } from 'node:crypto';
import type { LimitsOfOwners } from '../../../contract/ownerLimits.ts';
import { composeApi } from '../../../lambdas/api/compose.ts';
import { composeGitWorker } from '../../../lambdas/git-worker/compose.ts';
import { authenticateByHash, hashToken } from '../../../lambdas/shared/http/auth.ts';
import type { Mails } from '../../../lambdas/shared/notifications/mails.ts';
import { openOwnerStore } from '../../../lambdas/shared/people/ownerStore.ts';
import { LAPTOP_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';
import type { ReadTip, RemoteTip, TipInput } from '../../../lambdas/shared/repo/readTip.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { testSecretBox } from '../../support/api.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { silentLog } from '../../support/log.ts';
import { memoryS3 } from '../../support/memoryS3.ts';
import { unused } from '../../support/unused.ts';

export const GIT_URL = 'https://git.example/ada/shop.git';
export const REPOSITORY = { id: 1, full_name: 'ada/shop', clone_url: GIT_URL };
export const FORK = { id: 2, full_name: 'eve/shop', clone_url: 'https://evil.example/steal.git' };
export const commitOf = (n: number) => n.toString(16).padStart(40, '0').replace(/^0/, 'c');

type Wrap = <T extends object>(port: T) => T;

/** The API and git-worker on memory ports, and a git host that is a map of refs. */
export async function gitStage({
  wrap = (port) => port,
  limits = { all: {}, owners: {} },
  mails,
}: {
  readonly wrap?: Wrap;
  readonly limits?: LimitsOfOwners;
  readonly mails?: Mails;
} = {}) {
  const clock = fakeClock(Date.UTC(2026, 10, 28));
  const ports = await openMemoryPlatform({ clock });
  const s3 = memoryS3(clock.now);
  const bucket = 'bucket';
  const secretBox = testSecretBox();
  const owners = openOwnerStore({ s3, bucket, clock });
  /** `url ref` → commit. */
  const refs = new Map<string, string>();
  const asked: TipInput[] = [];
  const host: { readTip: ReadTip } = {
    async readTip(input): Promise<RemoteTip> {
      asked.push(input);
      return { commit: refs.get(`${input.gitUrl} ${input.ref.name}`) ?? null, defaultBranch: 'main' };
    },
  };
  const common = {
    ...{ store: wrap(ports.store), queue: wrap(ports.queue), logs: ports.logs, bus: wrap(ports.bus), clock, secretBox },
    ...{ s3, ecs: { send: (async () => ({})) as never }, log: silentLog, waker: { wake: async () => undefined } },
    ...{ rateLimit: ports.rateLimit, mails },
  };
  const api = composeApi(
    {
      ...{ ...common, tickets: ports.tickets, owners, urlSigner: unused },
      authenticate: authenticateByHash(async () => ({ ada: [hashToken('token')] })),
    },
    {
      ...{
        bucket,
        gitPolicy: LAPTOP_POLICY,
        supersede: 'waiting',
        canWatch: true,
        linkOrigin: () => 'http://api.example',
      },
      ...{ limits, siteAddresses: async () => ({ url: 'http://shop.example' }) },
    },
  );
  const worker = composeGitWorker(
    { ...common, readTip: wrap(host).readTip },
    {
      ...{ bucket, gitPolicy: LAPTOP_POLICY, apiHosts: [], limits, supersede: 'waiting' },
      siteAddresses: async () => ({ url: 'http://shop.example' }),
    },
  );
  const call = async (method: string, path: string, body?: object) => {
    const headers = { Authorization: 'Bearer token', ...(body && { 'Content-Type': 'application/json' }) };
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const answer = await api.request(`http://api.example${path}`, init);
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  };
  let secret = '';
  let sent = 0;
  return {
    ...{ clock, ports, s3, bucket, secretBox, refs, asked, call, worker },
    /** The API itself, for what needs headers of its own. */
    request: (path: string, init: RequestInit) => api.request(`http://api.example${path}`, init),
    storeToken: (token: string) => call('PUT', '/projects/shop/git-token', { token }),
    setRef: (name: string, commit: string | null, gitUrl = GIT_URL) =>
      commit === null ? refs.delete(`${gitUrl} ${name}`) : refs.set(`${gitUrl} ${name}`, commit),
    async connect(settings: object = {}, connection: object = {}) {
      const base = { host: 'github', repository: 'ada/shop', ...connection };
      const made = await call('PUT', '/projects/shop', { gitUrl: GIT_URL, connection: base, ...settings });
      if (made.status > 201) throw new Error(JSON.stringify(made.body));
      secret ||= (await call('POST', '/projects/shop/webhook')).body.secret;
    },
    /** A delivery of GitHub. @returns the status of the answer */
    async deliver(event: string, body: object, id = `d-${++sent}`): Promise<number> {
      const text = JSON.stringify(body);
      const signature = `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
      const headers = { 'X-GitHub-Event': event, 'X-GitHub-Delivery': id, 'X-Hub-Signature-256': signature };
      const init = { method: 'POST', headers, body: text };
      return (await api.request('http://api.example/hooks/github/shop', init)).status;
    },
    /** What a push looks like, and what it does to the host. */
    pushed: (branch: string, after: string | null, { before = null as string | null, message = '' } = {}) => ({
      ...{ ref: `refs/heads/${branch}`, before: before ?? '0'.repeat(40), after: after ?? '0'.repeat(40) },
      ...{ deleted: after === null, repository: REPOSITORY, sender: { login: 'ada' } },
      head_commit: after && { id: after, message },
    }),
    pull: (action: string, number: number, branch: string, sha: string, { fork = false, draft = false } = {}) => ({
      ...{ action, number, repository: REPOSITORY },
      pull_request: {
        ...{ title: 'It', draft, user: { login: fork ? 'eve' : 'ada' } },
        head: { ref: branch, sha, repo: fork ? FORK : REPOSITORY },
        base: { ref: 'main', sha: commitOf(0), repo: REPOSITORY },
      },
    }),
    /** Newest first. */
    async deployments() {
      const { items } = await ports.store.list({ owner: 'ada', projectId: 'shop', limit: 1_000 });
      return items;
    },
    async requestOf(deploymentId: string) {
      return (await ports.store.get(deploymentId))!.request!;
    },
    close: () => ports.close(),
  };
}

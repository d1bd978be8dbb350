import { createHmac } from 'node:crypto';
import { s3Keys } from '../../contract/names.ts';
import { composeApi } from '../../lambdas/api/compose.ts';
import { makeAnalyzedEvent, makeBuildEvent } from '../../lambdas/domain/events.ts';
import { composeGitWorker } from '../../lambdas/git-worker/compose.ts';
import { composeReleaser } from '../../lambdas/releaser/compose.ts';
import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import { shownDomains } from '../../lambdas/shared/domains/followRelease.ts';
import { hashToken } from '../../lambdas/shared/http/auth.ts';
import { authenticateCaller } from '../../lambdas/shared/people/authenticateCaller.ts';
import { noteTokenUse } from '../../lambdas/shared/people/namedTokens.ts';
import { openOwnerStore } from '../../lambdas/shared/people/ownerStore.ts';
import { queueShown } from '../../lambdas/shared/queueRelease.ts';
import { LAPTOP_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';
import { templateAddresses } from '../../lambdas/shared/sites/siteAddresses.ts';
import { composeTaskWatcher } from '../../lambdas/task-watcher/compose.ts';
import { laptopDomains } from '../../local/adapters/laptopDomains.ts';
import { openMemoryPlatform } from '../../local/adapters/memory/platform.ts';
import { isAllowed, type Policy } from '../../local/awsProtocol/policy.ts';
import { testSecretBox } from '../support/api.ts';
import { frontendPlan } from '../support/events.ts';
import { silentLog } from '../support/log.ts';
import { memoryS3 } from '../support/memoryS3.ts';
import { functionStatements } from './support/checks.ts';
import { synthesize } from './support/synth.ts';

/**
 * A project's life on the control plane, in which every function has in the bucket only what its role in `prod` allows.
 */
const BUCKET = 'bucket';
const ARN = `arn:aws:s3:::${BUCKET}`;
const COMMIT = 'c'.repeat(40);
const DAY = 24 * 3_600_000;
const { templates } = synthesize('prod');

/** The S3 statements of a function's role, on the bucket of the test. */
function policyOf(name: string): Policy {
  const statements = functionStatements(templates, name).filter(({ Action }) => Action.some((a) => /^s3:/.test(a)));
  const textOf = (resource: unknown) => {
    // An object's ARN is a reference and a text after it; that of the bucket is the reference alone.
    const [, path = ''] = /"(\/[^"]+)"\]\]\}$/.exec(JSON.stringify(resource)) ?? [];
    return ARN + path;
  };
  return {
    Statement: statements.map(({ Action, Resource }) => ({
      ...{ Effect: 'Allow' as const, Action: [...Action], Resource: Resource.map(textOf) },
    })),
  };
}

interface Command {
  readonly constructor: { readonly name: string };
  readonly input: {
    readonly Key?: string;
    readonly CopySource?: string;
    readonly Delete?: { readonly Objects: readonly { readonly Key: string }[] };
  };
}

/** What a call needs. Source: S3 user guide, "Required permissions for Amazon S3 API operations". */
function neededBy({ constructor: { name }, input }: Command): [action: string, resource: string][] {
  const object = `${ARN}/${input.Key}`;
  switch (name) {
    case 'GetObjectCommand':
    case 'HeadObjectCommand':
      return [['s3:GetObject', object]];
    case 'PutObjectCommand':
      return [['s3:PutObject', object]];
    case 'CopyObjectCommand':
      return [
        ['s3:GetObject', `${ARN}/${input.CopySource?.slice(BUCKET.length + 1)}`],
        ['s3:PutObject', object],
      ];
    case 'DeleteObjectCommand':
      return [['s3:DeleteObject', object]];
    case 'DeleteObjectsCommand':
      return (input.Delete?.Objects ?? []).map(({ Key }) => ['s3:DeleteObject', `${ARN}/${Key}`]);
    case 'ListObjectsV2Command':
      return [['s3:ListBucket', ARN]];
    default:
      throw new Error(`What ${name} needs is not known here.`);
  }
}

async function openStage() {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now };
  const s3 = memoryS3(clock.now);
  const ports = await openMemoryPlatform({ clock });
  const refused: string[] = [];
  const asFunction = (name: string): S3Calls => {
    const policy = policyOf(name);
    const send = async (command: Command) => {
      for (const [action, resource] of neededBy(command)) {
        if (isAllowed(policy, { action, resource })) continue;
        refused.push(`${name} ${action} ${resource.slice(ARN.length)}`);
        throw Object.assign(new Error('Access Denied'), { name: 'AccessDenied' });
      }
      return s3.send(command as never);
    };
    return { send: send as never };
  };
  const apiS3 = asFunction('api');
  const owners = openOwnerStore({ s3: apiS3, bucket: BUCKET, clock });
  const failures: unknown[] = [];
  const noteFailure = (error: unknown) => void failures.push(error);
  const { queue, store, logs, waker, tickets, rateLimit, sites, subscriptions, notifier } = ports;
  const bus = {
    async publish(_topic: unknown, messages: readonly { value: string }[]) {
      for (const { value } of messages) {
        const event = JSON.parse(value);
        await store.fold(event.deploymentId, [event]);
      }
    },
  };
  const ecs = { send: (async () => ({})) as never };
  const common = { queue, store, logs, waker, clock, bus, ecs, log: silentLog };
  const domainPorts = { domains: laptopDomains(), sites, siteDomain: 'sites.example' };
  const secretBox = testSecretBox();
  const api = composeApi(
    {
      ...{ ...common, tickets, rateLimit, owners, domainPorts, s3: apiS3, secretBox },
      urlSigner: async () => 'https://storage.example/signed',
      authenticate: authenticateCaller({
        ...{ hashes: async () => ({ ada: [hashToken('token')] }), owners, clock },
        noteUse: noteTokenUse(owners, clock, noteFailure),
      }),
    },
    {
      ...{ bucket: BUCKET, gitPolicy: LAPTOP_POLICY, supersede: 'waiting', deletionGraceMs: 0 },
      ...{ limits: { all: { storageGiB: 1 }, owners: {} }, linkOrigin: () => 'https://api.example' },
      siteAddresses: templateAddresses('https://{projectId}.sites.example'),
    },
  );
  const releaserS3 = asFunction('releaser');
  const ownDomains = shownDomains(openDocuments(releaserS3, BUCKET));
  const releaser = composeReleaser(
    { ...common, sites, subscriptions, notifier, ownDomains, s3: releaserS3 },
    { bucket: BUCKET },
  );
  const watch = composeTaskWatcher(
    { ...common, s3: asFunction('task-watcher'), sites, domainPorts },
    { bucket: BUCKET, timeoutSeconds: { frontend: 60, backend: 60 } },
  );
  const gitWorker = composeGitWorker(
    {
      ...{ ...common, rateLimit, s3: asFunction('git-worker'), secretBox },
      readTip: async () => ({ commit: COMMIT, defaultBranch: 'main' }),
    },
    {
      ...{ bucket: BUCKET, gitPolicy: LAPTOP_POLICY, apiHosts: [], supersede: 'waiting' },
      ...{ limits: { all: { storageGiB: 1 }, owners: {} } },
      siteAddresses: templateAddresses('https://{projectId}.sites.example'),
    },
  );
  return {
    ...{ s3, store, sites, refused, failures, releaser, gitWorker, queue, waker, api },
    pass(ms: number) {
      now += ms;
    },
    watch: () => watch({}),
    async call(method: string, path: string, body?: object) {
      const headers = { authorization: 'Bearer token', ...(body && { 'content-type': 'application/json' }) };
      const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
      const answer = await api.request(`https://api.example${path}`, init);
      const text = await answer.text();
      if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return text === '' ? null : JSON.parse(text);
    },
    /** The control plane's part and the builder's, which has a role of its own. */
    async build(deploymentId: string, projectId: string) {
      const { record } = (await store.get(deploymentId))!;
      const plan = { ...frontendPlan(), lane: 'production' as const, branch: 'main' };
      const artifact = { kind: 'static' as const, bucket: BUCKET, prefix: 'x', files: 1, bytes: 5 };
      const of = { deploymentId, projectId, target: 'frontend' as const, attempt: 1 };
      const succeeded = makeBuildEvent(of, { type: 'build.succeeded', artifact, logLines: 0 }, now);
      await store.fold(deploymentId, [makeAnalyzedEvent(record, plan, now), succeeded]);
      const key = `${s3Keys.deploymentFiles(projectId, deploymentId)}index.html`;
      s3.objects.set(key, 'hello');
      const object = { key, path: 'index.html', size: 5, sha256: 'a'.repeat(64), contentType: 'text/html' };
      const manifest = {
        ...{ v: 1, projectId, deploymentId, attempt: 1, commit: 'c', createdAt: new Date(now).toISOString() },
        ...{ files: 1, bytes: 5, objects: [{ ...object, cacheControl: 'no-cache' }] },
      };
      s3.objects.set(s3Keys.deploymentManifest(projectId, deploymentId), JSON.stringify(manifest));
      await queueShown({ queue, waker }, (await store.get(deploymentId))!.record);
      await releaser();
    },
  };
}

test('a project is made, deployed, released, kept tidy and deleted with the rights that the stage gives', async () => {
  const stage = await openStage();
  const { call, build, watch, pass, sites, s3, store, refused, failures, releaser } = stage;
  const gitUrl = 'https://git.example/shop.git';
  await call('PUT', '/projects/shop', { gitUrl });
  const ids: string[] = [];
  for (const value of ['1', '2']) {
    await call('PUT', '/projects/shop/variables/A', { value });
    ids.push((await call('POST', '/deployments', { projectId: 'shop' })).deploymentId);
    await build(ids.at(-1)!, 'shop');
    pass(1_000);
  }
  const [first, second] = ids as [string, string];
  expect((await sites.find('shop'))?.deploymentId).toBe(second);
  await call('PUT', '/projects/shop/domains/shop.example');
  await call('POST', `/deployments/${first}/promote`, {});
  await call('POST', '/projects/shop/rollback', {});
  await call('POST', '/projects/shop/pin', {});
  const file = { path: 'index.html', mode: '100644', size: 5, sha256: 'a'.repeat(64) };
  const { uploadId } = await call('POST', '/projects/shop/uploads', { files: [file] });
  expect(await call('POST', '/projects/shop/uploads', { base: uploadId })).toMatchObject({ uploadId, lacking: 1 });
  await call('PUT', '/projects/shop/preview-password', { password: 'correct horse' });
  await call('PATCH', '/projects/shop', { previews: { protection: 'password' } });
  await releaser();
  await call('PUT', '/members/eve', { role: 'developer' });
  const { id } = await call('POST', '/tokens', { name: 'CI', scope: 'deploy', member: 'eve' });
  await call('DELETE', `/tokens/${id}`);
  for (const path of ['/usage', '/audit', '/members', '/projects', '/projects/shop/releases', '/deployments'])
    await call('GET', path);
  await call('GET', `/deployments/${second}/files`);
  await call('DELETE', '/projects/shop/cache');
  expect((await sites.find('shop.example'))?.deploymentId).toBe(second);

  // Another project of an earlier version, which the sweep finds by its claim.
  await store.claimProject('old', 'ada');
  await watch();
  for (let day = 0; day < 3; day++) {
    pass(2 * DAY);
    await watch();
  }
  expect([refused, failures]).toEqual([[], []]);
  expect([...s3.objects.keys()].filter((key) => key.startsWith('__projects/'))).toEqual([
    '__projects/shop.json',
    '__projects/old.json',
  ]);
  expect(await call('GET', '/projects/old')).toMatchObject({ projectId: 'old' });
  await call('DELETE', '/projects/shop/domains/shop.example');
  await call('PUT', '/projects/shop/domains/other.example');
  await call('DELETE', '/projects/shop');
  await call('POST', '/projects/shop/restore', {});
  await call('DELETE', '/projects/shop?confirm=shop');
  pass(DAY);
  await watch();
  await watch();
  expect([refused, failures]).toEqual([[], []]);
  expect([...s3.objects.keys()].filter((key) => /\/shop(\/|\.json$)/.test(key))).toEqual(['__projects/shop.json']);
  expect(await sites.listRoutes('shop')).toEqual([]);
}, 120_000);

test('what a git host tells is followed with the rights that the stage gives, which reach no members and no earlier variables', async () => {
  const { api, call, gitWorker, store, s3, refused } = await openStage();
  const gitUrl = 'https://git.example/ada/shop.git';
  await call('PUT', '/projects/shop', { gitUrl, connection: { host: 'github', repository: 'ada/shop' } });
  await call('PUT', '/projects/shop/variables/A', { value: '1' });
  await call('PUT', '/projects/shop/variables/A', { value: '2' });
  await call('PUT', '/projects/shop/git-token', { token: 'host-token' });
  const { secret } = await call('POST', '/projects/shop/webhook');
  const deliver = async (event: string, of: object) => {
    const body = JSON.stringify({ repository: repositoryOf('ada/shop'), ...of });
    const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const headers = { 'x-github-event': event, 'x-hub-signature-256': signature };
    const answer = await api.request('https://api.example/hooks/github/shop', { method: 'POST', headers, body });
    expect(await answer.json()).toMatchObject({ status: 'accepted' });
    await gitWorker();
  };
  const push = (after: string) => ({ ref: 'refs/heads/x', before: '0'.repeat(40), after, deleted: /^0+$/.test(after) });
  const pull = (action: string, head: object) => ({
    ...{
      action,
      number: 7,
      pull_request: { head: { ref: 'x', sha: COMMIT, ...head }, base: { ref: 'main', sha: COMMIT, repo: null } },
    },
  });
  await deliver('push', push(COMMIT));
  expect(refused).toEqual([]);
  const { items } = await store.list({ owner: 'ada', projectId: 'shop', limit: 9 });
  expect(items).toHaveLength(1);
  await deliver('pull_request', pull('opened', { repo: repositoryOf('eve/shop', 2) }));
  await deliver('push', push('0'.repeat(40)));
  const renamed = { action: 'renamed', changes: { repository: { name: { from: 'shop' } } } };
  await deliver('repository', { ...renamed, repository: repositoryOf('ada/store') });
  // Its token was stored for another host, which the project says.
  await call('PATCH', '/projects/shop', { gitUrl: 'https://other.example/ada/store.git' });
  await deliver('push', { ...push(COMMIT), repository: repositoryOf('ada/store') });
  expect((await call('GET', '/projects/shop')).gitFault).toMatchObject({ code: 'GIT_TOKEN_ELSEWHERE' });
  expect(refused).toEqual([]);

  const policy = policyOf('git-worker');
  const may = (action: string) =>
    [...s3.objects.keys()].filter((key) => isAllowed(policy, { action, resource: `${ARN}/${key}` }));
  await call('PUT', '/members/eve', { role: 'developer' });
  expect(s3.objects.has(s3Keys.owner('ada'))).toBe(true);
  for (const key of [s3Keys.owner('ada'), s3Keys.earlierVariables('shop', 1), ...audited(s3)])
    expect([key, may('s3:GetObject').includes(key), may('s3:PutObject').includes(key)]).toEqual([key, false, false]);
  expect(may('s3:PutObject')).not.toContain(s3Keys.currentVariables('shop'));
  expect(may('s3:DeleteObject')).toEqual([]);
});

const repositoryOf = (name: string, id = 1) => ({ id, full_name: name, clone_url: `https://git.example/${name}.git` });
const audited = (s3: ReturnType<typeof memoryS3>) => [...s3.objects.keys()].filter((key) => key.startsWith('__audit/'));

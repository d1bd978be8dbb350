import { createHmac } from 'node:crypto';
import githubExamples from '@octokit/webhooks-examples';
import { GIT_HOSTS, type GitHost } from '../../../../contract/gitHosts.ts';
import { hookHost } from '../../../../lambdas/shared/gitHosts/hookHost.ts';
import { BITBUCKET, GITEA, GITLAB } from '../../../fixtures/gitDeliveries.ts';

const SECRET = 'a secret of forty characters or so, not less';
const NOW = Date.UTC(2026, 10, 28, 12);
const headerOf = (headers: Record<string, string>) => (name: string) =>
  Object.entries(headers).find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
const read = (host: GitHost, headers: Record<string, string>, body: unknown) =>
  hookHost(host).read(headerOf(headers), body);

interface Example {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}
const examplesOf = (event: string) =>
  (githubExamples as unknown as Example[]).find(({ name }) => name === event)?.examples ?? [];

describe('GitHub', () => {
  test('every example of every event can be read, and something follows from three kinds alone', () => {
    const following = new Set<string>();
    let count = 0;
    for (const { name, examples } of githubExamples as unknown as Example[])
      for (const example of examples) {
        count++;
        for (const { kind } of read('github', { 'X-GitHub-Event': name }, example))
          if (kind !== 'nothing') following.add(`${name}: ${kind}`);
      }
    expect(count).toBeGreaterThan(100);
    expect([...following].sort()).toEqual(['pull_request: pullRequest', 'push: push', 'repository: renamed']);
  });

  test('pushes: a branch, a deleted tag', () => {
    const pushes = examplesOf('push').flatMap((body) => read('github', { 'X-GitHub-Event': 'push' }, body));
    expect(pushes).toContainEqual(
      expect.objectContaining({ kind: 'push', ref: { kind: 'tag', name: 'simple-tag' }, commit: null }),
    );
    for (const push of pushes) expect(push.kind).toBe('push');
    const branches = pushes.filter((push) => push.kind === 'push' && push.ref.kind === 'branch' && push.commit);
    expect(branches.length).toBeGreaterThan(0);
  });

  test('the actions of pull requests', () => {
    const byAction = new Map<unknown, Set<string>>();
    for (const body of examplesOf('pull_request')) {
      const [delivery] = read('github', { 'X-GitHub-Event': 'pull_request' }, body);
      const seen = delivery?.kind === 'pullRequest' ? delivery.action : delivery!.kind;
      byAction.set(body.action, (byAction.get(body.action) ?? new Set()).add(seen));
    }
    const of = (action: string) => [...(byAction.get(action) ?? [])];
    expect([of('opened'), of('synchronize'), of('reopened'), of('ready_for_review'), of('closed')]).toEqual([
      ...[['changed'], ['changed'], ['changed'], ['changed'], ['closed']],
    ]);
    expect([of('labeled'), of('assigned'), of('edited')].flat().every((seen) => seen === 'nothing')).toBe(true);
  });

  test('a fork, a fork that was deleted, a draft', () => {
    const [opened] = examplesOf('pull_request').filter(({ action }) => action === 'opened') as {
      pull_request: { head: { repo: object | null }; draft: boolean };
    }[];
    const readIt = (body: unknown) => read('github', { 'X-GitHub-Event': 'pull_request' }, body)[0];
    expect(readIt(opened)).toMatchObject({ isFork: false, draft: false });
    const { pull_request: request } = opened!;
    const foreign = { ...request.head, repo: { ...request.head.repo, id: 99, full_name: 'eve/fork' } };
    expect(readIt({ ...opened, pull_request: { ...request, head: foreign, draft: true } })).toMatchObject({
      ...{ isFork: true, draft: true, from: { id: '99', name: 'eve/fork' } },
    });
    const gone = { ...request.head, repo: null };
    expect(readIt({ ...opened, pull_request: { ...request, head: gone } })).toMatchObject({ isFork: true });
  });

  test('renamed and transferred', () => {
    const renames = examplesOf('repository').flatMap((body) =>
      read('github', { 'X-GitHub-Event': 'repository' }, body),
    );
    const followed = renames.filter(({ kind }) => kind === 'renamed');
    expect(followed.length).toBeGreaterThan(0);
    for (const rename of followed)
      expect(rename).toMatchObject({ formerName: expect.stringMatching(/^[^/]+\/[^/]+$/) });
  });
});

test.each(GITLAB)('GitLab: $what', ({ event, body, expected }) => {
  expect(read('gitlab', { 'X-Gitlab-Event': event }, body)).toMatchObject(expected);
});
test.each(GITEA)('Gitea: $what', ({ event, body, expected }) => {
  expect(read('gitea', { 'X-Gitea-Event': event }, body)).toMatchObject(expected);
  expect(read('gitea', { 'X-Forgejo-Event': event }, body)).toMatchObject(expected);
});
test.each(BITBUCKET)('Bitbucket: $what', ({ event, body, expected }) => {
  expect(read('bitbucket', { 'X-Event-Key': event }, body)).toMatchObject(expected);
});

const EVENTS: Record<GitHost, [string, string[]]> = {
  github: ['X-GitHub-Event', ['push', 'pull_request', 'repository', 'ping', '__proto__', '']],
  gitlab: ['X-Gitlab-Event', ['Push Hook', 'Tag Push Hook', 'Merge Request Hook', 'Note Hook', '']],
  gitea: ['X-Gitea-Event', ['push', 'delete', 'pull_request', 'pull_request_sync', 'repository', '']],
  bitbucket: ['X-Event-Key', ['repo:push', 'repo:updated', 'pullrequest:created', 'pullrequest:rejected', '']],
};
const ODD = [null, 1, 'x', [], {}, { ref: 1 }, { push: { changes: [{ new: null, old: null }] } }, { __proto__: null }];

test.each(GIT_HOSTS)('%s: nothing follows from bodies of another form, and none of them is an error', (host) => {
  const [header, events] = EVENTS[host];
  for (const event of events)
    for (const body of ODD)
      for (const delivery of read(host, { [header]: event }, body)) expect(delivery.kind).toBe('nothing');
});

test('names and commits that cannot be used make nothing of a delivery', () => {
  const [body] = examplesOf('push').filter(({ deleted }) => !deleted);
  const of = (over: object) => read('github', { 'X-GitHub-Event': 'push' }, { ...body, ...over })[0]!.kind;
  expect(of({})).toBe('push');
  expect(of({ ref: 'refs/heads/main', after: 'HEAD; rm -rf /' })).toBe('nothing');
  expect(of({ ref: `refs/heads/${'x'.repeat(2_000)}` })).toBe('nothing');
  expect(of({ ref: 'refs/notes/commits' })).toBe('nothing');
});

describe('genuine deliveries', () => {
  const body = Buffer.from('{"x": 1}');
  const hex = (secret: string, of: Uint8Array = body) => createHmac('sha256', secret).update(of).digest('hex');
  const standard = (secret: string, time: number, id = 'msg_1') => ({
    ...{ 'webhook-id': id, 'webhook-timestamp': String(time) },
    'webhook-signature': `v1,${createHmac('sha256', secret).update(`${id}.${time}.`).update(body).digest('base64')}`,
  });
  const isGenuine = (host: GitHost, headers: Record<string, string>, secret = SECRET, of: Uint8Array = body) =>
    hookHost(host).isGenuine({ header: headerOf(headers), secret, body: of, now: NOW });
  const key = Buffer.alloc(32, 7);
  const signingToken = `whsec_${key.toString('base64')}`;
  const seconds = NOW / 1_000;

  test.each<[string, GitHost, Record<string, string>, string?]>([
    ['GitHub', 'github', { 'X-Hub-Signature-256': `sha256=${hex(SECRET)}` }],
    ['Gitea', 'gitea', { 'X-Gitea-Signature': hex(SECRET) }],
    ['Gitea as GitHub', 'gitea', { 'X-Hub-Signature-256': `sha256=${hex(SECRET)}` }],
    ['Forgejo', 'gitea', { 'X-Forgejo-Signature': hex(SECRET) }],
    ['Bitbucket', 'bitbucket', { 'X-Hub-Signature': `sha256=${hex(SECRET)}` }],
    ['GitLab', 'gitlab', { 'X-Gitlab-Token': SECRET }],
    ['GitLab, signed', 'gitlab', standard(SECRET, seconds)],
    [
      'GitLab, signed with its own form of token',
      'gitlab',
      {
        ...{ 'webhook-id': 'm', 'webhook-timestamp': `${seconds}` },
        'webhook-signature': `v1,AAAA v1,${createHmac('sha256', key).update(`m.${seconds}.`).update(body).digest('base64')}`,
      },
      signingToken,
    ],
  ])('%s', (_, host, headers, secret = SECRET) => {
    expect(isGenuine(host, headers, secret)).toBe(true);
    expect(isGenuine(host, headers, `${secret.slice(0, 12)}Q${secret.slice(13)}`)).toBe(false);
    if (!('X-Gitlab-Token' in headers)) expect(isGenuine(host, headers, secret, Buffer.from('{"x":1}'))).toBe(false);
    for (const name of Object.keys(headers)) {
      expect(isGenuine(host, { ...headers, [name]: '' }, secret)).toBe(false);
      const { [name]: _gone, ...others } = headers;
      expect(isGenuine(host, others, secret)).toBe(false);
    }
  });

  test('the older, weaker signature of GitHub does not count, nor does a signature in another form', () => {
    const sha1 = createHmac('sha1', SECRET).update(body).digest('hex');
    expect(isGenuine('github', { 'X-Hub-Signature': `sha1=${sha1}` })).toBe(false);
    expect(isGenuine('github', { 'X-Hub-Signature-256': hex(SECRET) })).toBe(false);
    expect(isGenuine('bitbucket', { 'X-Hub-Signature': `sha1=${sha1}` })).toBe(false);
    expect(isGenuine('github', { 'X-Gitlab-Token': SECRET })).toBe(false);
    expect(isGenuine('gitlab', { 'X-Hub-Signature-256': `sha256=${hex(SECRET)}` })).toBe(false);
  });

  test('a signed delivery of GitLab is good for five minutes, and a wrong signature is not helped by the token', () => {
    for (const off of [-299, 299]) expect(isGenuine('gitlab', standard(SECRET, seconds + off))).toBe(true);
    for (const off of [-301, 301]) expect(isGenuine('gitlab', standard(SECRET, seconds + off))).toBe(false);
    const forged = { ...standard('other', seconds), 'X-Gitlab-Token': SECRET };
    expect(isGenuine('gitlab', forged)).toBe(false);
  });
});

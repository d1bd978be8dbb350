import { type CommitReport, GIT_HOSTS, type GitHost } from '../../../../contract/gitHosts.ts';
import { HostBusyError } from '../../../../lambdas/shared/gitHosts/askHost.ts';
import { findHostApi } from '../../../../lambdas/shared/gitHosts/hostApi.ts';
import { openHostWriter } from '../../../../lambdas/shared/gitHosts/hostWriter.ts';
import { LAPTOP_POLICY, PUBLIC_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { type HostDouble, hostDouble, RIGHT_TOKEN, WEAK_TOKEN } from '../../../support/gitHosts/hostDouble.ts';
import { httpDouble, type Response } from '../../../support/httpDouble.ts';

const repository = 'ada/shop';
const commit = 'a'.repeat(40);
const report: CommitReport = {
  commit,
  state: 'success',
  description: 'Deployed',
  context: 'veren/shop',
  url: 'http://s/',
};
const MARKER = 'veren:shop:0123456789abcdef';

const WORDS: Record<GitHost, Record<CommitReport['state'], string>> = {
  github: { pending: 'pending', success: 'success', failure: 'failure', canceled: 'error' },
  gitea: { pending: 'pending', success: 'success', failure: 'failure', canceled: 'error' },
  gitlab: { pending: 'pending', success: 'success', failure: 'failed', canceled: 'canceled' },
  bitbucket: { pending: 'INPROGRESS', success: 'SUCCESSFUL', failure: 'FAILED', canceled: 'STOPPED' },
};

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function scene(host: GitHost, { token = RIGHT_TOKEN, callMs = 5_000 } = {}) {
  const double = await hostDouble(host, { repository, hasCommit: (sha) => sha !== 'f'.repeat(40) });
  open.push(double);
  return { double, writer: writerTo(double, { token, callMs }) };
}

function writerTo({ host, apiUrl }: Pick<HostDouble, 'host' | 'apiUrl'>, { token = RIGHT_TOKEN, callMs = 5_000 } = {}) {
  const rules = { policy: LAPTOP_POLICY, apiHosts: [], callMs };
  const api = findHostApi({ host, repository, apiUrl }, undefined, rules);
  return openHostWriter({ host, repository, api, token, clock: { now: () => 1_000_000_000_000 } });
}

const failureOf = (run: Promise<unknown>) =>
  run.then(
    () => Promise.reject(new Error('it was taken')),
    (error: Error & { code?: string; waitMs?: number }) => error,
  );

describe.each(GIT_HOSTS)('reports to %s', (host) => {
  test('every state in the host’s own words, with description, address and context', async () => {
    const { double, writer } = await scene(host);
    for (const state of ['pending', 'success', 'failure', 'canceled'] as const)
      await writer.writeStatus({ ...report, state });
    expect(double.statuses.map(({ state }) => state)).toEqual(Object.values(WORDS[host]));
    expect(double.shown(commit)).toEqual([
      { commit, state: WORDS[host].canceled, description: 'Deployed', context: 'veren/shop', url: 'http://s/' },
    ]);
  });

  test('a long sentence, a long project and no address are still taken', async () => {
    const { double, writer } = await scene(host);
    const context = `veren/${'p'.repeat(63)}`;
    await writer.writeStatus({ commit, state: 'failure', description: 'ü'.repeat(400), context });
    await writer.writeStatus({ commit, state: 'success', description: 'ok', context: `${context.slice(0, -1)}q` });
    expect(new Set(double.statuses.map((one) => one.context)).size).toBe(2);
  });

  test('one comment per pull request: made, found by its id, found by its marker, made again once deleted', async () => {
    const { double, writer } = await scene(host);
    for (let i = 0; i < 120; i++) double.addComment(7, `comment ${i}`);
    const known = await writer.writeComment({ number: 7, text: 'one', marker: MARKER });
    expect(known).toMatch(/^\d+$/);
    await writer.writeComment({ number: 7, text: 'two', marker: MARKER, known });
    await writer.writeComment({ number: 7, text: 'three', marker: MARKER });
    await writer.writeComment({ number: 8, text: 'other', marker: MARKER });
    const ours = () => double.comments.filter(({ author }) => author === 'veren');
    expect(ours().map(({ number, text }) => [number, text.split('\n').at(-1)])).toEqual([
      [7, 'three'],
      [8, 'other'],
    ]);
    double.comments.splice(double.comments.indexOf(ours()[0]!), 1);
    const again = await writer.writeComment({ number: 7, text: 'four', marker: MARKER, known });
    expect(again).not.toBe(known);
  });

  test('a marker that somebody has copied changes no comment of theirs', async () => {
    const { double, writer } = await scene(host);
    await writer.writeComment({ number: 7, text: 'one', marker: MARKER });
    double.addComment(7, double.comments[0]!.text, 'mallory');
    await writer.writeComment({ number: 7, text: 'two', marker: MARKER });
    expect(double.comments.map(({ text }) => text.split('\n').at(-1))).toEqual(['two', 'one']);
    double.comments.shift();
    await writer.writeComment({ number: 7, text: 'three', marker: MARKER });
    expect(double.comments.map(({ author }) => author)).toEqual(['mallory', 'veren']);
  });

  test.each([
    ['an unknown token', { token: 'tok-unknown' }, 'GIT_TOKEN_REFUSED'],
    ['a token without the scope', { token: WEAK_TOKEN }, 'GIT_TOKEN_REFUSED'],
    ['a token that would end its header', { token: 'a\r\nx-evil: 1' }, 'GIT_TOKEN_REFUSED'],
  ])('%s is final, and the error does not hold it', async (_name, options, code) => {
    const { writer } = await scene(host, options);
    const error = await failureOf(writer.writeStatus(report));
    expect(error).toMatchObject({ code });
    expect(error.message).not.toContain(options.token);
  });

  test('a commit that the host does not have, and another repository, are final', async () => {
    const { writer, double } = await scene(host);
    const missing = writer.writeStatus({ ...report, commit: 'f'.repeat(40) });
    expect(await failureOf(missing)).toMatchObject({ code: 'GIT_REPORT_REFUSED' });
    const rules = { policy: LAPTOP_POLICY, apiHosts: [] };
    const api = findHostApi({ host, repository: 'ada/other', apiUrl: double.apiUrl }, undefined, rules);
    const other = openHostWriter({ host, repository: 'ada/other', api, token: RIGHT_TOKEN, clock: Date });
    expect(await failureOf(other.writeStatus(report))).toMatchObject({ code: 'GIT_REPORT_REFUSED' });
  });

  const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response => ({
    ...{ status, headers, body: JSON.stringify(body) },
  });
  const SECONDARY = { message: 'You have exceeded a secondary rate limit. Please wait a few minutes.' };
  test.each<[string, Response, number | undefined]>([
    ['429 with retry-after', json(429, {}, { 'retry-after': '30' }), 30_000],
    ['429 with a date', json(429, {}, { 'retry-after': new Date(1_000_000_060_000).toUTCString() }), 60_000],
    ['a secondary limit as 403 with retry-after', json(403, SECONDARY, { 'retry-after': '7' }), 7_000],
    ['a secondary limit as 403 by its message', json(403, SECONDARY), undefined],
    [
      'a primary limit as 403',
      json(403, {}, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1000000090' }),
      90_000,
    ],
    ['a limit that ends in years', json(429, {}, { 'retry-after': '999999999' }), 6 * 3_600_000],
    ['500', json(500, {}), undefined],
    ['502 with bad JSON', { status: 502, body: '<html>' }, undefined],
    ['503 with retry-after', json(503, {}, { 'retry-after': '2' }), 2_000],
  ])('%s is tried again later', async (_name, answer, waitMs) => {
    const { double, writer } = await scene(host);
    double.fault = () => answer;
    const error = await failureOf(writer.writeStatus(report));
    expect(error).toBeInstanceOf(HostBusyError);
    expect(error.waitMs).toBe(waitMs);
  });

  test('a host that does not answer in time, or cuts the connection, is tried again later', async () => {
    const { double, writer } = await scene(host, { callMs: 200 });
    double.fault = () => new Promise<Response>((resolve) => setTimeout(() => resolve({ status: 200 }), 2_000).unref());
    const error = await failureOf(writer.writeStatus(report));
    expect(error).toBeInstanceOf(HostBusyError);
    expect(error.message).toContain('in time');
    await double.close();
    expect(await failureOf(writer.writeStatus(report))).toBeInstanceOf(HostBusyError);
  });

  test('a redirect is not followed, so the token goes nowhere else', async () => {
    const elsewhere = await httpDouble(() => ({ status: 200, body: '{}' }));
    open.push(elsewhere);
    const { double, writer } = await scene(host);
    for (const status of [301, 302, 303, 307, 308]) {
      double.fault = () => ({ status, headers: { location: `${elsewhere.url}/steal` } });
      expect(await failureOf(writer.writeStatus(report))).toMatchObject({ code: 'GIT_REPORT_REFUSED' });
    }
    expect(elsewhere.requests).toEqual([]);
  });

  test('huge answers and bad JSON change nothing about a status that was taken', async () => {
    const { double, writer } = await scene(host);
    double.fault = () => ({ status: 201, body: 'x'.repeat(20 * 1024 * 1024) });
    await writer.writeStatus(report);
    double.fault = () => ({ status: 201, body: '{"id":' });
    await writer.writeStatus(report);
    expect(await writer.writeComment({ number: 1, text: 't', marker: MARKER })).toBeUndefined();
  });

  test('what a host answers is foreign text: short, on one line, and without the token', async () => {
    const { double, writer } = await scene(host);
    const message = `\u001b[31m${RIGHT_TOKEN}\n${'x'.repeat(10_000)}`;
    double.fault = () => ({ status: 422, body: JSON.stringify({ message }) });
    const error = await failureOf(writer.writeStatus(report));
    expect(error).toMatchObject({ code: 'GIT_REPORT_REFUSED' });
    expect(error.message).not.toContain(RIGHT_TOKEN);
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
    expect(error.message.length).toBeLessThan(600);
  });
});

test('GitLab: a status that is pending already is known to it', async () => {
  const { double, writer } = await scene('gitlab');
  await writer.writeStatus({ ...report, state: 'pending' });
  await writer.writeStatus({ ...report, state: 'pending' });
  await writer.writeStatus(report);
  expect(double.statuses.map(({ state }) => state)).toEqual(['pending', 'success']);
});

describe('the API of a connection', () => {
  const rules = { policy: PUBLIC_POLICY, apiHosts: ['git.corp.example', 'forge.example:8443'] };
  const find = (host: GitHost, apiUrl?: string, gitUrl?: string, of = rules) =>
    findHostApi({ host, repository, ...(apiUrl !== undefined && { apiUrl }) }, gitUrl, of).url;

  test.each<[GitHost, string | undefined, string | undefined, string]>([
    ['github', undefined, undefined, 'https://api.github.com'],
    ['github', undefined, 'https://github.com/ada/shop.git', 'https://api.github.com'],
    ['github', undefined, 'https://git.corp.example/ada/shop', 'https://git.corp.example/api/v3'],
    ['gitlab', undefined, 'https://git.corp.example/a/b', 'https://git.corp.example/api/v4'],
    ['gitlab', undefined, 'https://gitlab.com/a/b', 'https://gitlab.com/api/v4'],
    ['gitea', undefined, 'https://codeberg.org/a/b', 'https://codeberg.org/api/v1'],
    ['gitea', 'https://forge.example:8443/git/api/v1/', undefined, 'https://forge.example:8443/git/api/v1'],
    ['bitbucket', undefined, 'https://bitbucket.org/a/b', 'https://api.bitbucket.org'],
  ])('%s with apiUrl %s and repository %s: %s', (host, apiUrl, gitUrl, expected) => {
    expect(find(host, apiUrl, gitUrl)).toBe(expected);
  });

  test.each<[string, GitHost, string | undefined, string | undefined]>([
    ['a host that the operator has not named', 'github', 'https://evil.example/api/v3', undefined],
    ['the repository’s own host, not named either', 'gitea', undefined, 'https://evil.example/a/b'],
    ['another port of a host that is named', 'gitea', 'https://git.corp.example:8443/api/v1', undefined],
    ['credentials', 'gitea', 'https://a:b@git.corp.example/api/v1', undefined],
    ['a query', 'gitea', 'https://git.corp.example/api/v1?x=', undefined],
    ['http, for a host that is named', 'gitea', 'http://git.corp.example/api/v1', undefined],
    ['cloud metadata', 'gitea', 'http://169.254.169.254/latest', undefined],
    ['no API at all', 'gitea', undefined, undefined],
  ])('refused: %s', (_name, host, apiUrl, gitUrl) => {
    expect(() => find(host, apiUrl, gitUrl)).toThrow(expect.objectContaining({ code: 'GIT_API_FORBIDDEN' }));
  });

  const refuse = async (apiUrl: string, address: string) => {
    const apiHosts = [new URL(apiUrl).host];
    const api = findHostApi({ host: 'gitea', repository, apiUrl }, undefined, {
      ...{ policy: PUBLIC_POLICY, apiHosts, callMs: 2_000 },
      resolve: async () => [address],
    });
    const writer = openHostWriter({ host: 'gitea', repository, api, token: RIGHT_TOKEN, clock: Date });
    return failureOf(writer.writeStatus(report));
  };

  test.each(['127.0.0.1', '10.0.0.8', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.0.0.1'])(
    'a named host whose name resolves to %s gets no request',
    async (address) => {
      expect(await refuse('https://git.corp.example/api/v1', address)).toMatchObject({ code: 'GIT_HOST_FORBIDDEN' });
    },
  );
});

import { appTokens } from '../../../../lambdas/shared/gitHosts/app/appTokens.ts';
import { HostBusyError } from '../../../../lambdas/shared/gitHosts/askHost.ts';
import type { CheckReport } from '../../../../lambdas/shared/gitHosts/github/appCalls.ts';
import { openHostWriter } from '../../../../lambdas/shared/gitHosts/hostWriter.ts';
import { LAPTOP_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { fakeClock } from '../../../support/fakeClock.ts';
import { APP_ID, githubDouble, OTHER_PEM } from '../../../support/gitHosts/githubDouble.ts';
import type { Response } from '../../../support/httpDouble.ts';

const MINUTE = 60_000;
const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** @param skewMs How far GitHub's clock is ahead of ours. */
async function stage({ skewMs = 0, privateKey }: { skewMs?: number; privateKey?: string } = {}) {
  const clock = fakeClock(Date.UTC(2026, 10, 28));
  const github = await githubDouble({ repository: 'ada/shop', now: () => clock.now() + skewMs });
  open.push(github);
  const converted = await fetch(`${github.webUrl}/api/v3/app-manifests/${github.newCode()}/conversions`, {
    method: 'POST',
  });
  const { pem } = (await converted.json()) as { pem: string };
  const app = {
    ...{ appId: APP_ID, slug: 's', name: 's', webUrl: github.webUrl, apiUrl: `${github.webUrl}/api/v3` },
    ...{ installUrl: 'https://x.example', createdAt: '', createdBy: 'ada' },
    secrets: async () => ({ privateKey: privateKey ?? pem, webhook: 'w' }),
  };
  const apps = { read: async (owner: string) => (owner === 'ada' ? app : null) };
  const mint = appTokens({ apps, rules: { policy: LAPTOP_POLICY, callMs: 2_000 }, clock });
  const of = { owner: 'ada', repository: 'ada/shop', gitUrl: github.gitUrl };
  return {
    ...{ clock, github, mint },
    read: (over: Partial<typeof of> = {}) => mint({ ...of, ...over, purpose: 'read' }),
    async write() {
      const { token, api, ...app } = await mint({ ...of, purpose: 'report' });
      return openHostWriter({ host: 'github', repository: of.repository, api, token, app, clock });
    },
  };
}
const REPORT: CheckReport = {
  ...{ commit: 'a'.repeat(40), state: 'success', description: 'It runs', context: 'veren/shop' },
  ...{ deploymentId: 'd1', isRunning: false },
};

test('a token is kept until ten minutes before its end, for its purpose', async () => {
  const { read, write, github, clock } = await stage();
  const first = await read();
  expect((await read()).token).toBe(first.token);
  await write();
  expect(github.asked).toHaveLength(2);
  clock.advance(49 * MINUTE);
  expect((await read()).token).toBe(first.token);
  clock.advance(2 * MINUTE);
  const later = await read();
  expect(later.token).not.toBe(first.token);
  expect(github.isValid(later.token)).toBe(true);
});

test.each([-8 * MINUTE, 8 * MINUTE, -3 * 60 * MINUTE, 3 * 60 * MINUTE])(
  'clocks that differ by %i ms: the time of the answer is used',
  async (skewMs) => {
    const { read } = await stage({ skewMs });
    expect((await read()).token).toMatch(/^ghs_/);
  },
);

test.each<[string, Partial<{ repository: string; gitUrl: string; owner: string }>, string]>([
  ['another host', { gitUrl: 'https://thief.example/ada/shop.git' }, '"gitUrl" is not ada/shop'],
  ['another repository', { repository: 'ada/secrets' }, '"gitUrl" is not ada/secrets'],
  ['a name that leads elsewhere', { repository: '../app' }, 'no repository has such a name'],
  ['another owner', { owner: 'bob' }, 'The owner has no GitHub App'],
])('%s: nothing is asked', async (_name, over, reason) => {
  const { read, github } = await stage();
  const before = github.requests.length;
  await expect(read(over)).rejects.toThrow(reason);
  expect(github.requests.length).toBe(before);
});

test('a forged key, an App that is not installed, a right that was not granted: refused, and why', async () => {
  const forged = await stage({ privateKey: OTHER_PEM });
  await expect(forged.read()).rejects.toMatchObject({ code: 'GIT_APP_REFUSED' });
  const { read, write, github } = await stage();
  github.state.isInstalled = false;
  await expect(read()).rejects.toThrow('it answered 404: Not Found. Install the App on the repository');
  github.state.isInstalled = true;
  github.state.granted = { contents: 'read' };
  await expect(write()).rejects.toThrow('The permissions requested are not granted');
  await expect(read()).resolves.toMatchObject({ isNew: true });
});

test.each<[string, Response, number | undefined]>([
  [
    'a secondary limit',
    { status: 403, headers: { 'retry-after': '90' }, body: '{"message":"secondary rate limit"}' },
    90_000,
  ],
  ['429', { status: 429, headers: { 'retry-after': '7' } }, 7_000],
  ['503', { status: 503 }, undefined],
])('%s is tried again later, when a token is made and when it is used', async (_name, answer, waitMs) => {
  const { read, write, github } = await stage();
  const writer = await write();
  github.state.fault = () => answer;
  for (const attempt of [() => read(), () => writer.writeCheck(REPORT, undefined)]) {
    const error: unknown = await attempt().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HostBusyError);
    expect((error as HostBusyError).waitMs).toBe(waitMs);
  }
});

test('a token that was taken back is made again; a scope that is missing is told', async () => {
  const { write, github } = await stage();
  const first = await write();
  expect(await first.writeCheck(REPORT, undefined)).toBeDefined();
  const kept = await write();
  github.tokens.clear();
  await expect(kept.writeCheck(REPORT, undefined)).rejects.toThrow('the token of the App has ended');
  const renewed = await write();
  const id = await renewed.writeCheck(REPORT, undefined);
  expect(await renewed.writeCheck({ ...REPORT, state: 'failure' }, id)).toBe(id);
  expect(github.checks.at(-1)).toMatchObject({ conclusion: 'failure' });
  // Somebody has deleted it.
  expect(await renewed.writeCheck(REPORT, '9')).not.toBe('9');
  for (const [token, of] of github.tokens) github.tokens.set(token, { ...of, permissions: { statuses: 'write' } });
  await expect(renewed.writeCheck(REPORT, id)).rejects.toMatchObject({ code: 'GIT_APP_REFUSED' });
});

test('environments: a preview that is gone is inactive', async () => {
  const { write, github } = await stage();
  const writer = await write();
  const of = { ...REPORT, projectId: 'shop', environment: 'preview', isGone: false } as const;
  const id = await writer.makeEnvironment(of);
  await writer.writeEnvironment({ ...of, state: 'pending' }, id);
  await writer.writeEnvironment({ ...of, description: 'x'.repeat(500) }, id);
  await writer.writeEnvironment({ ...of, isGone: true }, id);
  // Somebody has deleted it.
  await writer.endEnvironment('9');
  expect(github.deployments).toMatchObject([
    { environment: 'Preview – shop', states: ['queued', 'success', 'inactive'] },
  ]);
});

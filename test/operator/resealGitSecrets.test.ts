import { openDocuments } from '../../lambdas/shared/documents.ts';
import { openGitSecrets } from '../../lambdas/shared/gitHosts/gitSecrets.ts';
import type { ProjectIdentity } from '../../lambdas/shared/gitHosts/projectDocuments.ts';
import { secretBox } from '../../lambdas/shared/secretBox.ts';
import { resealGitSecrets } from '../../operator/reseal/resealGitSecrets.ts';
import { memoryS3 } from '../support/memoryS3.ts';

const [ONE, TWO] = ['1'.repeat(32), '2'.repeat(32)];
const [SHOP, BLOG] = ['shop', 'blog'].map((projectId) => ({ projectId, addressKey: `key of ${projectId}` })) as [
  ProjectIdentity,
  ProjectIdentity,
];
const hostToken = (secret: string) => ({ secret, origins: ['https://git.example'] });

test('secrets of git hosts are sealed anew with the current key, and others stay as they are', async () => {
  const s3 = memoryS3();
  const bucket = 'bucket';
  const boxOf = (keys: Record<string, string>) => secretBox(async () => keys);
  const open = (keys: Record<string, string>) =>
    openGitSecrets({ documents: openDocuments(s3, bucket), box: boxOf(keys) });
  const until = '2026-11-28T12:00:00.000Z';
  const secrets = { webhook: 'w', formerWebhook: { secret: 'f', until }, token: hostToken('t') };
  await open({ current: '1', 'key-1': ONE }).change(SHOP, secrets);
  await open({ current: '2', 'key-2': TWO }).change(BLOG, { token: hostToken('b') });
  s3.objects.set('__git/shop/state.json', '{"v":1,"held":[]}');
  const both = { current: '2', 'key-1': ONE, 'key-2': TWO };
  const reseal = () => resealGitSecrets({ s3, bucket, box: boxOf(both) }, '2');
  expect(await reseal()).toBe(3);
  expect(await reseal()).toBe(0);
  // The earlier key is not needed any more.
  expect(await open({ current: '2', 'key-2': TWO }).read(SHOP)).toEqual(secrets);
  expect(await open({ current: '2', 'key-2': TWO }).read(BLOG)).toMatchObject({ token: hostToken('b') });
});

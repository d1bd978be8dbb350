import { openDocuments } from '../../lambdas/shared/documents.ts';
import { openAppStore } from '../../lambdas/shared/gitHosts/app/appStore.ts';
import { secretBox } from '../../lambdas/shared/secretBox.ts';
import { resealApps } from '../../operator/reseal/resealApps.ts';
import { memoryS3 } from '../support/memoryS3.ts';

const [ONE, TWO] = ['1'.repeat(32), '2'.repeat(32)];

test('secrets of GitHub Apps are sealed anew with the current key, also of an owner with an odd name', async () => {
  const s3 = memoryS3();
  const bucket = 'bucket';
  const boxOf = (keys: Record<string, string>) => secretBox(async () => keys);
  const open = (keys: Record<string, string>) => openAppStore(openDocuments(s3, bucket), boxOf(keys));
  const app = {
    ...{ appId: 1, slug: 's', name: 'n', webUrl: 'https://github.com', apiUrl: 'https://api.github.com' },
    ...{ installUrl: 'https://github.com/apps/s', createdAt: '2026-11-28T12:00:00.000Z', createdBy: 'ada' },
  };
  const secrets = { privateKey: 'k', webhook: 'w' };
  await open({ current: '1', 'key-1': ONE }).create('team a/b', app, secrets);
  await open({ current: '1', 'key-1': ONE }).create('gone', app, secrets);
  await open({ current: '1', 'key-1': ONE }).forget('gone');
  await s3.objects.set('__owners/ada/owner.json', '{}');
  const reseal = () => resealApps({ s3, bucket, box: boxOf({ current: '2', 'key-1': ONE, 'key-2': TWO }) }, '2');
  expect(await reseal()).toBe(1);
  expect(await reseal()).toBe(0);
  // The earlier key is not needed any more.
  expect(await (await open({ current: '2', 'key-2': TWO }).read('team a/b'))?.secrets()).toEqual(secrets);
});

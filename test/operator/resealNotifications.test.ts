import { openNoticeAddress, sealNoticeAddress } from '../../lambdas/shared/notifications/noticeAddress.ts';
import { openProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import { secretBox } from '../../lambdas/shared/secretBox.ts';
import { resealNotifications } from '../../operator/reseal/resealNotifications.ts';
import { memoryS3 } from '../support/memoryS3.ts';

const [ONE, TWO] = ['1'.repeat(32), '2'.repeat(32)];

test('addresses of notifications are sealed anew with the current key', async () => {
  const s3 = memoryS3();
  const bucket = 'bucket';
  const boxOf = (keys: Record<string, string>) => secretBox(async () => keys);
  const projects = openProjectStore({ s3, bucket, clock: { now: Date.now } });
  const address = { url: 'https://hooks.example/x', secret: 'whsec_YQ==' };
  const sealed = await sealNoticeAddress(boxOf({ current: '1', 'key-1': ONE }), 'shop', 'n1', address);
  const one = {
    kind: 'webhook',
    name: 'ops',
    host: 'hooks.example',
    createdBy: 'ada',
    createdAt: '2026-11-28T12:00:00Z',
  };
  await projects.ensure('shop', 'ada', {});
  await projects.ensure('blog', 'ada', {});
  await projects.change('shop', (before) => ({
    ...before,
    notifications: [{ ...one, kind: 'webhook', id: 'n1', sealed }],
  }));
  const reseal = () =>
    resealNotifications({ s3, bucket, box: boxOf({ current: '2', 'key-1': ONE, 'key-2': TWO }) }, '2');
  expect(await reseal()).toBe(1);
  expect(await reseal()).toBe(0);
  const stored = (await projects.get('shop'))!.notifications![0]!;
  // The earlier key is not needed any more.
  expect(await openNoticeAddress(boxOf({ current: '2', 'key-2': TWO }), 'shop', 'n1', stored.sealed)).toEqual(address);
  expect(stored).toMatchObject(one);
});

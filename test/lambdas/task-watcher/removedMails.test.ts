import { snsMails } from '../../../lambdas/shared/adapters/aws/snsMails.ts';
import { s3Archive } from '../../../lambdas/shared/archive.ts';
import { openAudit } from '../../../lambdas/shared/audit.ts';
import { deletionNoter } from '../../../lambdas/shared/projects/deletions.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import { openVariableStore } from '../../../lambdas/shared/projects/variableStore.ts';
import { removeProjects } from '../../../lambdas/task-watcher/removeProjects.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { silentLog } from '../../support/log.ts';
import { memoryS3 } from '../../support/memoryS3.ts';
import { MAIL_TOPICS, snsDouble } from '../../support/snsDouble.ts';

const bucket = 'b';

test('with a project its topics for e-mail go, after an outage of SNS, too', async () => {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now };
  const storage = { s3: memoryS3(clock.now), bucket, clock };
  const ports = await openMemoryPlatform({ clock });
  const sns = await snsDouble();
  const mails = snsMails(sns.client, MAIL_TOPICS);
  const projects = openProjectStore(storage);
  const createdAt = new Date(now).toISOString();
  const of = { name: 'ops', host: 'mail.example', sealed: 'x', createdAt, createdBy: 'ada' };
  try {
    await projects.ensure('aa', 'ada', {});
    await projects.change('aa', (project) => ({
      ...project,
      notifications: [
        { ...of, id: '1', kind: 'email' },
        { ...of, id: '2', kind: 'slack' },
      ],
      deleting: { by: 'ada', at: createdAt, until: createdAt },
    }));
    await mails.ask({ projectId: 'aa', notificationId: '1' }, 'eve@mail.example');
    await mails.ask({ projectId: 'bb', notificationId: '1' }, 'eve@mail.example');
    await deletionNoter(storage.s3, bucket)('aa');
    const deps = {
      ...{ ...ports, ...storage, projects, mails, log: silentLog },
      ...{ archive: s3Archive(storage.s3, bucket), audit: openAudit(storage), variables: openVariableStore(storage) },
      ...{ removeImages: async () => 0, bus: { publish: async () => undefined } },
    };
    const remove = async () => {
      now += 16 * 60_000;
      await removeProjects(deps, () => true);
    };
    sns.state.fault = { status: 500 };
    await remove();
    expect(await projects.getDeleted('aa')).toBeNull();
    sns.state.fault = undefined;
    await remove();
    expect(await projects.getDeleted('aa')).not.toBeNull();
    expect([...sns.topics.keys()]).toEqual([`${MAIL_TOPICS}bb-1`]);
  } finally {
    await sns.close();
    await ports.close();
  }
});

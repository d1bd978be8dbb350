import { openProjectStore } from '../../../../lambdas/shared/projects/projectStore.ts';
import { memoryS3 } from '../../../support/memoryS3.ts';

const open = () => {
  const s3 = memoryS3();
  return { s3, projects: openProjectStore({ s3, bucket: 'b', clock: { now: Date.now } }) };
};

test('of many who make a project at once one is its owner, and its key never changes', async () => {
  const { projects } = open();
  const owners = ['ada', 'bob', 'cyd'];
  const made = await Promise.all(owners.map((owner) => projects.ensure('shop', owner, {})));
  expect(new Set(made.map(({ owner, addressKey }) => `${owner} ${addressKey}`)).size).toBe(1);
  const [{ owner }] = made as [(typeof made)[0]];
  for (const name of owners) expect(await projects.list(name)).toEqual(name === owner ? ['shop'] : []);
});

test('changes at once all count, one after the other', async () => {
  const { projects } = open();
  await projects.ensure('shop', 'ada', { rootDirectory: 'x' });
  const add = (project: { settings: { rootDirectory?: string | undefined } }) => `${project.settings.rootDirectory}x`;
  await Promise.all(
    Array.from({ length: 10 }, () =>
      projects.change('shop', (p) => ({ ...p, settings: { ...p.settings, rootDirectory: add(p) } })),
    ),
  );
  expect((await projects.get('shop'))?.settings.rootDirectory).toBe('x'.repeat(11));
  expect(await projects.change('none', (p) => p)).toBeNull();
});

test('a change that changes nothing writes nothing, and one that throws neither', async () => {
  const { projects, s3 } = open();
  await projects.ensure('shop', 'ada', {});
  const before = new Map(s3.objects);
  await projects.change('shop', (p) => p);
  const refuse = () => {
    throw new Error('no');
  };
  await expect(projects.change('shop', refuse)).rejects.toThrow('no');
  expect(s3.objects).toEqual(before);
});

test('a document that cannot be read is not taken for no project', async () => {
  const { projects, s3 } = open();
  s3.objects.set('__projects/shop.json', '{"v":9}');
  await expect(projects.ensure('shop', 'ada', {})).rejects.toThrow();
});

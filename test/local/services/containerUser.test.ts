import type { ContainerEngine } from '../../../local/services/containerEngine.ts';
import { chooseUser } from '../../../local/services/containerUser.ts';

const PASSWD =
  ' app:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\nnode:x:1000:1001::/:\n+0:x:5:5::/:\nnull:x:0:7::/:\n';
const GROUP = 'root:x:0:node\nstaff:x:50:\n';

/** An engine that has one image, and nothing left of what was made for looking into it. */
function engineOf(user: string, files: Readonly<Record<string, string>> = {}) {
  const made = new Set<string>();
  const engine: Pick<ContainerEngine, 'run' | 'create' | 'remove' | 'readFile'> = {
    run: async () => user,
    create: async ([, name]) => void made.add(name!) as never,
    remove: async (name) => void made.delete(name),
    readFile: async (_, path) => {
      const text = files[path];
      if (text === undefined) throw new Error('no such file');
      const head = Buffer.alloc(512);
      head.write(Buffer.byteLength(text).toString(8).padStart(11, '0'), 124);
      head.write('0', 156);
      return Buffer.concat([head, Buffer.from(text), Buffer.alloc(1_024)]);
    },
  };
  return { engine: engine as ContainerEngine, made };
}

const REFUSED = ['10001:10001', true];
test.each([
  ['', ...REFUSED],
  ['root', ...REFUSED],
  ['0', ...REFUSED],
  ['000:5', ...REFUSED],
  ['+0', ...REFUSED],
  ['-1', ...REFUSED],
  ['4294967296', ...REFUSED],
  ['app', ...REFUSED],
  ['null', ...REFUSED],
  ['App', ...REFUSED],
  ['nobody', ...REFUSED],
  ['node', '1000:1001', false],
  ['node:staff', '1000:50', false],
  ['node:root', '1000:10001', false],
  ['node:nobody', '1000:10001', false],
  ['1000:0', '1000:10001', false],
  ['1000:+0', '1000:10001', false],
  ['1000', '1000:1000', false],
  ['02000', '2000:10001', false],
  ['2000:3000', '2000:3000', false],
])('an image with USER %s runs as %s', async (given, user, isRefused) => {
  const { engine, made } = engineOf(given, { '/etc/passwd': PASSWD, '/etc/group': GROUP });
  expect(await chooseUser(engine, 'image', 'probe')).toEqual({ user, isRefused });
  expect(made.size).toBe(0);
});

test('an image without files needs a number', async () => {
  expect(await chooseUser(engineOf('65532').engine, 'image', 'probe')).toEqual({
    user: '65532:10001',
    isRefused: false,
  });
  expect(await chooseUser(engineOf('node').engine, 'image', 'probe')).toMatchObject({ isRefused: true });
});

import { createHash } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Keys } from '../../../contract/names.ts';
import {
  MAX_KEPT_PACK_BYTES,
  MAX_KEPT_UPLOAD_BYTES,
  MAX_LINK_BYTES,
  MAX_NEW_UPLOADS,
  MAX_UPLOAD_BYTES,
  MAX_UPLOAD_FILE_BYTES,
  UPLOAD_FRESH_DAYS,
  type UploadFile,
} from '../../../contract/uploads.ts';
import type { S3Calls } from '../../../lambdas/shared/adapters/aws/clients.ts';
import { openUploads } from '../../../lambdas/shared/uploads/uploadStore.ts';
import { type ApiFixture, apiFixture } from '../../support/api.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const fileOf = (path: string, content = path, over: Partial<UploadFile> = {}): UploadFile => ({
  path,
  mode: '100644',
  size: Buffer.byteLength(content),
  sha256: hashOf(content),
  ...over,
});

/** What the storage does with a PUT to a signed address, whose signature other tests are about. */
const arrive = async ({ s3 }: ApiFixture, projectId: string, content: string) => {
  const put = { Bucket: 'bucket', Key: s3Keys.uploadedFile(projectId, hashOf(content)), Body: content };
  await s3.send(new PutObjectCommand(put));
};

async function scene() {
  let now = Date.now();
  const api = await apiFixture({ clock: { now: () => now } });
  const upload = (projectId: string, body: object, as = 'ada') =>
    api.call('POST', `/projects/${projectId}/uploads`, body, { as });
  return {
    api,
    upload,
    pass: (ms: number) => {
      now += ms;
    },
    deploy: (projectId: string, id: string, more: object = {}, as = 'ada') =>
      api.call('POST', '/deployments', { projectId, upload: id, ...more }, { as }),
  };
}

test('asks for what is lacking, by changes, and deploys when all of it has arrived', async () => {
  const { api, upload, deploy, pass } = await scene();
  const first = await upload('site', { files: [fileOf('a/1'), fileOf('b'), fileOf('copy of b', 'b')] });
  expect(first.body).toMatchObject({
    files: 3,
    lacking: 2,
    send: [{ sha256: hashOf('a/1') }, { sha256: hashOf('b') }],
  });
  expect(first.body.send[0].headers).toEqual({
    'x-amz-checksum-sha256': Buffer.from(hashOf('a/1'), 'hex').toString('base64'),
  });
  const early = await deploy('site', first.body.uploadId);
  expect([early.status, early.body.code]).toEqual([409, 'UPLOAD_INCOMPLETE']);
  for (const content of ['a/1', 'b']) await arrive(api, 'site', content);
  expect((await upload('site', { base: first.body.uploadId })).body).toMatchObject({ lacking: 0, send: [] });
  const changed = await upload('site', { base: first.body.uploadId, files: [fileOf('a', 'b')], removed: ['a/1'] });
  expect(changed.body).toMatchObject({ files: 3, lacking: 0 });
  // The same folder has the same id, however it was told.
  const told = [fileOf('copy of b', 'b'), fileOf('a', 'b'), fileOf('b')];
  expect((await upload('site', { files: told })).body.uploadId).toBe(changed.body.uploadId);

  const accepted = await deploy('site', changed.body.uploadId);
  expect(accepted.status).toBe(202);
  const stored = await api.ports.store.get(accepted.body.deploymentId);
  expect(stored?.record.gitUrl).toBe(`upload:${changed.body.uploadId}`);
  expect(stored?.request).toMatchObject({ environment: 'preview' });
  expect(stored?.request?.ref).toBeUndefined();
  const production = await deploy('site', changed.body.uploadId, { environment: 'production' });
  expect((await api.ports.store.get(production.body.deploymentId))?.request?.environment).toBe('production');

  // What may soon be removed is asked for once more.
  pass((UPLOAD_FRESH_DAYS + 1) * 86_400_000);
  expect((await upload('site', { base: changed.body.uploadId })).body.lacking).toBe(1);
});

test('a project learns and reaches nothing of another one, whatever hash or id it guesses', async () => {
  const { api, upload, deploy } = await scene();
  const secret = await upload('adas', { files: [fileOf('secret')] });
  await arrive(api, 'adas', 'secret');
  // The owner itself is told that it is there; others are asked for it, as for everything.
  expect((await upload('adas', { files: [fileOf('secret')] })).body.lacking).toBe(0);
  const guessed = await upload('bobs', { files: [fileOf('secret')] }, 'bob');
  expect(guessed.body).toMatchObject({ lacking: 1, uploadId: secret.body.uploadId });
  expect((await deploy('bobs', guessed.body.uploadId, {}, 'bob')).body.code).toBe('UPLOAD_INCOMPLETE');
  const byId = await upload('other', { base: secret.body.uploadId }, 'bob');
  const byNoId = await upload('other', { base: hashOf('never') }, 'bob');
  expect([byId.status, byId.body.code]).toEqual([404, 'UPLOAD_UNKNOWN']);
  expect(byId.body.detail).toBe(byNoId.body.detail);
  // Another owner's project is as one that is not there, also for its uploads.
  for (const answer of [await upload('adas', {}, 'bob'), await deploy('adas', secret.body.uploadId, {}, 'bob')])
    expect([answer.status, answer.body.code]).toEqual([404, 'NOT_FOUND']);
  // The first upload has made the project, so nobody else can take the name and what is stored under it.
  expect((await api.call('GET', '/projects/adas')).status).toBe(200);
});

test('refuses what no checkout would write as it is', async () => {
  const { upload } = await scene();
  const paths = [
    ...['../up', 'a/../b', '/etc/passwd', './a', 'a//b', 'a/', '.', '-option', 'new\nline', 'back\\slash'],
    ...['.git/config', 'a/.GIT/hooks/post-checkout', 'x/git~1/config', '.git /x', '.git./x', '\ufffd'],
    ...['é'.repeat(128), Array(65).fill('a').join('/')],
  ];
  for (const path of paths) {
    const { status, body } = await upload('site', { files: [fileOf('ok'), fileOf(path, 'x')] });
    expect([path, status, body.code]).toEqual([path, 400, 'UPLOAD_INVALID']);
  }
  for (const files of [
    [fileOf('a'), fileOf('a/b')],
    [fileOf('a', '1'), fileOf('a', '2')],
    [fileOf('a', 'same'), fileOf('b', 'same', { size: 0 })],
  ])
    expect((await upload('site', { files })).body.code).toBe('UPLOAD_INVALID');
  // Linux keeps them apart, and so does git.
  expect((await upload('site', { files: [fileOf('Read.me'), fileOf('read.me')] })).body.files).toBe(2);
  for (const over of [
    { mode: '160000' },
    { size: -1 },
    { size: MAX_UPLOAD_FILE_BYTES + 1 },
    { sha256: 'A'.repeat(64) },
    { mode: '120000', size: MAX_LINK_BYTES + 1 },
  ])
    expect((await upload('site', { files: [{ ...fileOf('a'), ...over }] })).body.code).toBe('INVALID_REQUEST');
});

test('has bounds: of a request, of a folder, of what a project keeps', async () => {
  const { api, upload } = await scene();
  const million = Array.from({ length: 1_000_000 }, (_, i) => i);
  const body = `{"files":[${million.map((i) => `{"path":"${i}"}`).join()}]}`;
  expect((await api.call('POST', '/projects/site/uploads', body)).body.code).toBe('BODY_TOO_LARGE');
  const many = Array.from({ length: 1_501 }, (_, i) => fileOf(`${i}`));
  expect((await upload('site', { files: many })).body.code).toBe('INVALID_REQUEST');

  let base: string | undefined;
  for (let part = 0; part < 14; part++) {
    const files = Array.from({ length: 1_450 }, (_, i) => fileOf(`${part}/${i}`, 'same'));
    const { status, body: answer } = await upload('site', { files, ...(base && { base }) });
    if (part < 13) expect(status).toBe(200);
    else expect([status, answer.code]).toEqual([413, 'UPLOAD_TOO_LARGE']);
    base = answer.uploadId;
  }
  const large = (of: string) => Array.from({ length: 3 }, (_, i) => fileOf(`${i}`, `${of}${i}`, { size: 90_000_000 }));
  expect(3 * 90_000_000).toBeGreaterThan(MAX_UPLOAD_BYTES);
  expect((await upload('site', { files: large('a') })).body.code).toBe('UPLOAD_TOO_LARGE');
});

test('lists and packs count for what a project keeps, when a folder is noted and when it is deployed', async () => {
  const s3 = memoryS3();
  const large = new Map<string, number>();
  const send = async (command: { constructor: { name: string }; input: { Prefix: string } }) => {
    const answer = (await s3.send(command as never)) as { Contents?: object[] };
    if (command.constructor.name !== 'ListObjectsV2Command') return answer;
    const more = [...large].filter(([key]) => key.startsWith(command.input.Prefix));
    return { ...answer, Contents: [...(answer.Contents ?? []), ...more.map(([Key, Size]) => ({ Key, Size }))] };
  };
  const storage = { s3: { send } as unknown as S3Calls, bucket: 'bucket', clock: { now: Date.now } };
  const uploads = openUploads({ ...storage, urlSigner: async () => 'http://storage.example/signed' });
  const change = (path: string) => ({ files: [fileOf(path, 'same')], removed: [] });
  const { uploadId } = await uploads.note('site', change('a'), async () => undefined);
  await s3.send(new PutObjectCommand({ Bucket: 'b', Key: s3Keys.uploadedFile('site', hashOf('same')), Body: 'same' }));
  const full = expect.objectContaining({ code: 'UPLOAD_TOO_LARGE' });
  for (const [key, bytes] of [
    [s3Keys.uploadManifest('site', 'x'), MAX_KEPT_UPLOAD_BYTES],
    [s3Keys.uploadPack('site', 'x'), MAX_KEPT_PACK_BYTES],
  ] as const) {
    large.set(key, bytes + 1);
    await expect(uploads.note('site', change('b'), async () => undefined)).rejects.toEqual(full);
    await expect(uploads.requireComplete('site', uploadId)).rejects.toEqual(full);
    large.delete(key);
    await uploads.requireComplete('site', uploadId);
  }
  // A list that is there is written again and takes no more room; a new one does.
  const kept = [...s3.objects].filter(([key]) => key.startsWith(s3Keys.uploads('site')));
  const bytes = kept.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
  large.set(s3Keys.uploadManifest('site', 'x'), MAX_KEPT_UPLOAD_BYTES - bytes);
  expect((await uploads.note('site', change('a'), async () => undefined)).uploadId).toBe(uploadId);
  await expect(uploads.note('site', change('b'), async () => undefined)).rejects.toEqual(full);
});

test('new folders of an owner are counted by the hour, what is known already is not', async () => {
  const { api, upload, pass } = await scene();
  const { rateLimit } = api.ports;
  for (let i = 1; i < MAX_NEW_UPLOADS; i++) await rateLimit.take('uploads:ada', MAX_NEW_UPLOADS, 3_600_000);
  const known = await upload('site', { files: [fileOf('a')] });
  expect(known.status).toBe(200);
  const refused = await upload('site', { files: [fileOf('b')] });
  expect([refused.status, refused.body.code]).toEqual([429, 'UPLOAD_RATE_LIMITED']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await upload('site', { base: known.body.uploadId })).status).toBe(200);
  expect((await upload('bobs', { files: [fileOf('b')] }, 'bob')).status).toBe(200);
  pass(2 * 3_600_000);
  expect((await upload('site', { files: [fileOf('b')] })).status).toBe(200);
});

test('of a repository and an upload only one can be given', async () => {
  const { deploy } = await scene();
  const { status, body } = await deploy('site', hashOf('x'), { gitUrl: 'https://git.example/a', ref: 'main' });
  expect([status, body.code]).toEqual([400, 'INVALID_REQUEST']);
  expect(body.errors.map((e: { field: string }) => e.field)).toEqual(['gitUrl', 'ref']);
});

test('the place of an upload in a record is no URL that anybody could give', async () => {
  const { api, upload } = await scene();
  const { body } = await upload('site', { files: [fileOf('a')] });
  const asUrl = { projectId: 'site', gitUrl: `upload:${body.uploadId}` };
  expect((await api.call('POST', '/deployments', asUrl)).body.code).toBe('GIT_URL_UNSUPPORTED');
  expect((await api.call('PUT', '/projects/site', { gitUrl: asUrl.gitUrl })).body.code).toBe('GIT_URL_UNSUPPORTED');
});

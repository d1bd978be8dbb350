import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { s3Keys } from '../../../contract/names.ts';
import { artifactFinder } from '../../../lambdas/shared/artifact.ts';
import { forbidPublication } from '../../../lambdas/shared/verdict.ts';
import { createCredentialStore } from '../../../local/awsProtocol/credentials.ts';
import { startS3Endpoint } from '../../../local/s3/endpoint.ts';
import { temporaryFolder } from '../../support/veren.ts';

const Bucket = 'bucket-of-builds';
const clock = { now: Date.now };
const build = { projectId: 'site', deploymentId: '01a', target: 'frontend' as const };
let s3: S3Client;
let end: () => Promise<void>;

beforeEach(async () => {
  const folder = await temporaryFolder();
  const credentials = await createCredentialStore({ dataDir: folder.path, clock });
  const endpoint = await startS3Endpoint({ dataDir: folder.path, credentials, clock, onError: () => undefined });
  const { accessKeyId, secretAccessKey } = credentials.root;
  const sdk = { region: 'ap-south-1', credentials: { accessKeyId, secretAccessKey } };
  s3 = new S3Client({ ...sdk, endpoint: endpoint.url, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  end = async () => {
    s3.destroy();
    await endpoint.close();
    await folder.remove();
  };
});
afterEach(() => end());

const put = (Key: string, Body: string | Buffer) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const at = new Date().toISOString();
const manifest = JSON.stringify({
  v: 1,
  ...build,
  attempt: 1,
  commit: 'c',
  createdAt: at,
  files: 3,
  bytes: 9,
  objects: [],
});
const verdict = JSON.stringify({ v: 1, verdict: 'publish', at });
const keys = {
  manifest: s3Keys.deploymentManifest(build.projectId, build.deploymentId),
  verdict: s3Keys.verdict(build.projectId, build.deploymentId, build.target),
};
const huge = Buffer.alloc(60 * 1024 * 1024, ' ');
const NONSENSE: [string, string | Buffer][] = [
  ['nothing', ''],
  ['no JSON', '{'],
  ['another JSON', '[{"v":1}]'],
  ['more than a function can hold', huge],
];

describe('what a build may write with its credentials', () => {
  it.each(NONSENSE)(
    '%s in place of a manifest or decision is no artifact, and no fault to be met for ever',
    async (_, body) => {
      const find = artifactFinder({ s3, bucket: Bucket });
      await put(keys.manifest, manifest);
      await put(keys.verdict, verdict);
      expect(await find({ ...build, attempt: 1 })).toMatchObject({ files: 3, bytes: 9 });
      await put(keys.verdict, body);
      expect(await find({ ...build, attempt: 1 })).toBeNull();
      await put(keys.verdict, verdict);
      await put(keys.manifest, body);
      expect(await find({ ...build, attempt: 1 })).toBeNull();
    },
  );

  it.each(NONSENSE)('%s in place of a verdict does not keep it from being canceled', async (_, body) => {
    await put(keys.verdict, body);
    expect(await forbidPublication({ s3, bucket: Bucket, clock })(build)).toBe('cancel');
  });

  it('a verdict that was given stands', async () => {
    await put(keys.verdict, JSON.stringify({ v: 1, verdict: 'publish', at }));
    expect(await forbidPublication({ s3, bucket: Bucket, clock })(build)).toBe('publish');
  });
});

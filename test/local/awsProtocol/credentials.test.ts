import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCredentialStore } from '../../../local/awsProtocol/credentials.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'veren-keys-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

test('the root key is made once, kept for the owner alone, and another in each data folder', async () => {
  const first = await createCredentialStore({ dataDir });
  const again = await createCredentialStore({ dataDir });
  const other = await createCredentialStore({ dataDir: join(dataDir, 'other') });
  expect(again.root).toEqual(first.root);
  expect(other.root.secretAccessKey).not.toBe(first.root.secretAccessKey);
  expect((await stat(join(dataDir, 'credentials.json'))).mode & 0o777).toBe(0o600);
});

test('a damaged file is named, and not quoted', async () => {
  await writeFile(join(dataDir, 'credentials.json'), '{"accessKeyId":"AKIA", "secret-part-of-it');
  const error = await createCredentialStore({ dataDir }).catch((e) => e);
  expect(error).toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
  expect(error.message).toContain('credentials.json');
  expect(error.message).not.toContain('secret-part');
});

test('sessions belong to one life and are forgotten some time after their end', async () => {
  let now = 1_000_000;
  const store = await createCredentialStore({ dataDir, clock: { now: () => now } });
  const mint = () => store.mint({ arn: 'arn:test', durationSeconds: 60 });
  const session = mint();
  expect(session.session.expiresAt).toBe(1_060_000);
  expect(session.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
  expect((await createCredentialStore({ dataDir })).lookup(session.accessKeyId)).toBeUndefined();
  expect(await readFile(join(dataDir, 'credentials.json'), 'utf8')).not.toContain(session.accessKeyId);
  now += 120_000;
  mint();
  expect(store.lookup(session.accessKeyId)).toBeDefined(); // so that its holder is told "expired"
  now += 3_600_000;
  mint();
  expect(store.lookup(session.accessKeyId)).toBeUndefined();
});

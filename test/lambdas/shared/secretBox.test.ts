import { randomBytes } from 'node:crypto';
import { type SecretKeys, SecretKeysSchema, secretBox } from '../../../lambdas/shared/secretBox.ts';

const keys: SecretKeys = { current: '1', 'key-1': randomBytes(32).toString('hex') };
const box = secretBox(async () => keys);
const place = { deploymentId: 'd1', field: 'request' };
const unreadable = expect.objectContaining({ code: 'SECRETS_UNREADABLE' });

describe('the secret box', () => {
  it.each(['', 's3cret', '語'.repeat(70_000), '\u0000\n"'])('opens what it has sealed', async (secret) => {
    const sealed = await box.seal(secret, place);
    expect(sealed).toMatch(/^1\.1\.[\w-]+$/);
    if (secret.length > 4) expect(sealed).not.toContain(Buffer.from(secret).toString('base64url').slice(0, 6));
    expect(await box.open(sealed, place)).toBe(secret);
    expect(await box.seal(secret, place)).not.toBe(sealed);
  });

  it('opens nothing for another deployment or field, with another key, or where a bit has changed', async () => {
    const sealed = await box.seal('s3cret', place);
    await expect(box.open(sealed, { ...place, deploymentId: 'd2' })).rejects.toEqual(unreadable);
    await expect(box.open(sealed, { ...place, field: 'other' })).rejects.toEqual(unreadable);
    // Two places that would be one text if they were only put together.
    await expect(box.open(sealed, { deploymentId: 'd1request', field: '' })).rejects.toEqual(unreadable);
    const stranger = secretBox(async () => ({ current: '1', 'key-1': randomBytes(32).toString('hex') }));
    await expect(stranger.open(sealed, place)).rejects.toEqual(unreadable);
    const [version, id, text = ''] = sealed.split('.');
    const bytes = Buffer.from(text, 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ 1;
      await expect(box.open(`${version}.${id}.${changed.toString('base64url')}`, place)).rejects.toEqual(unreadable);
    }
    for (const nonsense of ['', 's3cret', '1.1.', '1.1.AAAA', `2.1.${text}`, `1.9.${text}`, `1.__proto__.${text}`])
      await expect(box.open(nonsense, place)).rejects.toEqual(unreadable);
  });

  it('goes on reading with an earlier key once there is a new one', async () => {
    const sealed = await box.seal('s3cret', place);
    const rotated = secretBox(async () => ({ ...keys, current: '2', 'key-2': randomBytes(32).toString('hex') }));
    expect(await rotated.open(sealed, place)).toBe('s3cret');
    expect(await rotated.seal('s3cret', place)).toMatch(/^1\.2\./);
  });

  it('says nothing of a secret or key in its errors', async () => {
    const sealed = await box.seal('s3cret', place);
    const error = await box.open(`${sealed}A`, place).catch((e: Error) => e);
    expect(JSON.stringify({ ...(error as Error), message: (error as Error).message })).not.toMatch(
      /s3cret|key-1|[0-9a-f]{64}/,
    );
  });

  it('has fingerprints that need the key', async () => {
    expect(await box.fingerprint('a')).toBe(await box.fingerprint('a'));
    expect(await box.fingerprint('a')).not.toBe(await box.fingerprint('b'));
    const stranger = secretBox(async () => ({ current: '1', 'key-1': randomBytes(32).toString('hex') }));
    expect(await stranger.fingerprint('a')).not.toBe(await box.fingerprint('a'));
  });

  it.each([
    {},
    { current: '1' },
    { current: '1', 'key-1': 'short' },
    { current: '2', 'key-1': 'x'.repeat(64) },
    { current: '1', 'key-1': 'x'.repeat(64), other: 'x' },
  ])('does not start with %j for keys', (wrong) => {
    expect(SecretKeysSchema.safeParse(wrong).success).toBe(false);
  });
});

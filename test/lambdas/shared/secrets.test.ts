import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { hashToken } from '../../../lambdas/shared/http/auth.ts';
import { secretKeys, tokenHashes } from '../../../lambdas/shared/secrets.ts';
import { fakeClock } from '../../support/fakeClock.ts';

/** A secret whose text, or fault, is what was set last. */
function secret(first: string | Error) {
  const state = { now: first, reads: 0 };
  const client = {
    async send() {
      state.reads++;
      if (state.now instanceof Error) throw state.now;
      return { SecretString: state.now };
    },
  };
  return { state, client: client as unknown as SecretsManagerClient };
}
const of = (owner: string, token: string) => JSON.stringify({ [owner]: [hashToken(token)] });

test('tokens are read once a minute: a new or revoked one is noticed', async () => {
  const clock = fakeClock();
  const { state, client } = secret(of('ada', 'one'));
  const hashes = tokenHashes(client, 'arn', clock);
  expect(Object.keys(await hashes())).toEqual(['ada']);
  state.now = of('bob', 'two');
  expect(Object.keys(await hashes())).toEqual(['ada']);
  clock.advance(60_000);
  expect(Object.keys(await hashes())).toEqual(['bob']);
  expect(state.reads).toBe(2);
});

test('a fault keeps what was known; without that it is told', async () => {
  const clock = fakeClock();
  const { state, client } = secret(of('ada', 'one'));
  const hashes = tokenHashes(client, 'arn', clock);
  await hashes();
  state.now = new Error('throttled');
  clock.advance(60_000);
  expect(Object.keys(await hashes())).toEqual(['ada']);
  await expect(tokenHashes(client, 'arn', clock)()).rejects.toThrow('throttled');
});

test('a token in clear text is refused, and not repeated in the message', async () => {
  const { client } = secret('{"ada": ["my-token"]}');
  const faulty = tokenHashes(client, 'arn', fakeClock())();
  await expect(faulty).rejects.toThrow('SHA-256');
  await expect(faulty).rejects.not.toThrow('my-token');
});

describe('the keys that secrets are sealed with', () => {
  const keys = (current: string, ...ids: string[]) =>
    JSON.stringify({ current, ...Object.fromEntries(ids.map((id) => [`key-${id}`, id.repeat(32)])) });

  test('a function that runs on seals with a changed key after a minute', async () => {
    const clock = fakeClock();
    const { state, client } = secret(keys('1', '1'));
    const read = secretKeys(client, 'arn', clock);
    expect((await read()).current).toBe('1');
    state.now = keys('2', '1', '2');
    clock.advance(60_000);
    expect((await read()).current).toBe('2');
    state.now = new Error('throttled');
    clock.advance(60_000);
    expect((await read()).current).toBe('2');
  });

  test('a key that another function has begun to use is read at once', async () => {
    const clock = fakeClock();
    const { state, client } = secret(keys('1', '1'));
    const read = secretKeys(client, 'arn', clock);
    await read();
    state.now = keys('2', '1', '2');
    clock.advance(1_000);
    expect(await read('2')).toHaveProperty('key-2');
    expect(state.reads).toBe(2);
    // One that is nowhere is not asked for again and again.
    await read('3');
    await read('3');
    expect(state.reads).toBe(2);
  });
});

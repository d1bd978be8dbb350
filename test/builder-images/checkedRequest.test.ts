import { checkedRequest } from '../../builder-images/shared/checkout/checked-request.ts';
import { PUBLIC_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';

const ask = (url: string, code: string) =>
  checkedRequest({
    method: 'GET',
    url,
    headers: {},
    policy: PUBLIC_POLICY,
    resolve: async () => {
      throw Object.assign(new Error(code), { code });
    },
    signal: AbortSignal.timeout(10_000),
  });

test.each(['EAI_AGAIN', 'ENOTFOUND'])(
  'a host that does not resolve (%s) is told without what a store has signed',
  async (code) => {
    const error = await ask('https://store.example/objects/1?X-Amz-Signature=secret', code).catch((e: Error) => e);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain('https://store.example/');
    expect((error as Error).message).not.toMatch(/objects|Signature|secret/);
  },
);

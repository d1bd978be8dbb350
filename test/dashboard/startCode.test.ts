import { callApi } from '../../dashboard/api/callApi.ts';
import { redeemStartCode } from '../../dashboard/session/startCode.ts';
import { currentToken, keepToken } from '../../dashboard/session/token.ts';

jest.mock('../../dashboard/api/callApi.ts', () => ({ callApi: jest.fn() }));
const call = jest.mocked(callApi);
const CODE = 'c'.repeat(32);

/** As much of a browser's tab as signing in touches. */
beforeEach(() => {
  const storage = () => {
    const kept = new Map<string, string>();
    return {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
  };
  const location = { hash: `#code=${CODE}`, pathname: '/dashboard/', search: '' };
  const history = {
    replaceState: () => {
      location.hash = '';
    },
  };
  const tab = { location, history, sessionStorage: storage(), localStorage: storage() };
  for (const [name, value] of Object.entries(tab))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  call.mockReset();
});

test.each([null, 'of an earlier data folder'])(
  'a code is used up with the kept token %s, and its token is kept',
  async (kept) => {
    if (kept !== null) keepToken(kept, false);
    call.mockResolvedValue({ token: 'new' });
    expect(await redeemStartCode()).toBe('taken');
    expect(call.mock.calls).toEqual([['POST', '/dashboard/session', { body: { code: CODE } }]]);
    expect([currentToken(), location.hash]).toEqual(['new', '']);
  },
);

test('a code that is refused signs nobody out', async () => {
  call.mockRejectedValue(new Error('403'));
  expect(await redeemStartCode()).toBe('refused');
  location.hash = `#code=${CODE}`;
  keepToken('mine', true);
  expect(await redeemStartCode()).toBe('none');
  expect(currentToken()).toBe('mine');
});

const mockCall = jest.fn();
jest.mock('../../dashboard/api/callApi.ts', () => ({ callApi: mockCall }));
// Not imported: the types of a browser are not those of the rest.
const { redeemStartCode } = jest.requireActual('../../dashboard/session/startCode.ts');
const { currentToken, keepToken } = jest.requireActual('../../dashboard/session/token.ts');
const location = { hash: '', pathname: '/dashboard/', search: '' };
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
  location.hash = `#code=${CODE}`;
  const history = {
    replaceState: () => {
      location.hash = '';
    },
  };
  const tab = { location, history, sessionStorage: storage(), localStorage: storage() };
  for (const [name, value] of Object.entries(tab))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  mockCall.mockReset();
});

test.each([null, 'of an earlier data folder'])(
  'a code is used up with the kept token %s, and its token is kept',
  async (kept) => {
    if (kept !== null) keepToken(kept, false);
    mockCall.mockResolvedValue({ token: 'new' });
    expect(await redeemStartCode()).toBe('taken');
    expect(mockCall.mock.calls).toEqual([['POST', '/dashboard/session', { body: { code: CODE } }]]);
    expect([currentToken(), location.hash]).toEqual(['new', '']);
  },
);

test('a code that is refused signs nobody out', async () => {
  mockCall.mockRejectedValue(new Error('403'));
  expect(await redeemStartCode()).toBe('refused');
  location.hash = `#code=${CODE}`;
  keepToken('mine', true);
  expect(await redeemStartCode()).toBe('none');
  expect(currentToken()).toBe('mine');
});

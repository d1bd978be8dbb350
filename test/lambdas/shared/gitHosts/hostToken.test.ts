import { bindToken, openToken } from '../../../../lambdas/shared/gitHosts/hostToken.ts';

const settings = (gitUrl: string, host: 'github' | 'gitlab' | 'bitbucket', apiUrl?: string) => ({
  gitUrl,
  connection: { host, repository: 'ada/shop', ...(apiUrl !== undefined && { apiUrl }) },
});

test.each([
  ['a public host and its API', settings('https://github.com/ada/shop', 'github'), ['https://api.github.com']],
  ['before there is a connection', { gitUrl: 'https://github.com/ada/shop' }, ['https://api.github.com']],
  ['Bitbucket', settings('https://bitbucket.org/ada/shop', 'bitbucket'), ['https://api.bitbucket.org']],
  ['GitLab, whose API is there', settings('https://gitlab.com/ada/shop', 'gitlab'), []],
  [
    'an API of its own',
    settings('https://git.example/ada/shop', 'github', 'https://api.example:8443/v3'),
    ['https://api.example:8443'],
  ],
])('a token is good for the host of the repository and its API: %s', (_name, of, apis) => {
  const { origin } = new URL(of.gitUrl);
  const token = bindToken('secret', of);
  expect(token.origins).toEqual([origin, ...apis]);
  for (const url of token.origins) expect(openToken(token, `${url}/any/path`)).toBe('secret');
  const { host, hostname } = new URL(of.gitUrl);
  const others = [`http://${host}/`, `https://${hostname}:8444/`, `https://${host}.evil.example/`, `ssh://${host}/`];
  for (const url of [...others, 'https://evil.example/', 'file:///x', 'no url', ''])
    expect(() => openToken(token, url)).toThrow('Store it again');
});

test('folders of a laptop have no host, and a token for them goes to no other', () => {
  const token = bindToken('secret', { gitUrl: 'file:///home/ada/shop' });
  expect(openToken(token, 'file:///home/ada/blog')).toBe('secret');
  expect(() => openToken(token, 'https://git.example/')).toThrow('file://');
});

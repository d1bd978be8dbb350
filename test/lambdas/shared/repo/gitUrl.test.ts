import { VerenError } from '../../../../contract/errors.ts';
import { gitAllowProtocol, LAPTOP_POLICY, PUBLIC_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { checkGitUrl, parseGitUrl } from '../../../../lambdas/shared/repo/gitUrl.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'allowed';
  } catch (error) {
    if (error instanceof VerenError) return error.code;
    throw error;
  }
};

describe('in public', () => {
  test.each([
    ['https://github.com/a/b', 'https://github.com/a/b'],
    ['https://github.com/a/b.git', 'https://github.com/a/b.git'],
    ['HTTPS://GitHub.com:443/a/b', 'https://github.com/a/b'],
    ['https://git.example.com:8443/a/b', 'https://git.example.com:8443/a/b'],
    ['https://93.184.216.34/a', 'https://93.184.216.34/a'],
    ['https://example.com/a/../b', 'https://example.com/b'],
    // What addresses are pinned to is the name without the dot.
    ['https://example.com./a', 'https://example.com/a'],
    ['https://bücher.example/a', 'https://xn--bcher-kva.example/a'],
    ['https://[2606:4700::6810:1]/a', 'https://[2606:4700::6810:1]/a'],
    ['https://example.com/a@b', 'https://example.com/a@b'],
  ])('%s is allowed and normalised', (text, normal) => {
    expect(parseGitUrl(text, PUBLIC_POLICY).href).toBe(normal);
  });

  test('a name with letters beyond ASCII is allowed every time', () => {
    // Node 20's `URL.canParse` refuses it once V8 has compiled the caller, after some thousand calls.
    const refused = Array.from({ length: 30_000 }, () =>
      codeOf(() => parseGitUrl('https://bücher.example/a', PUBLIC_POLICY)),
    );
    expect(refused.filter((code) => code !== 'allowed')).toEqual([]);
  });

  test.each([
    'http://github.com/a/b',
    'git://github.com/a/b',
    'ssh://git@github.com/a/b',
    'git@github.com:a/b.git',
    'github.com:a/b',
    'file:///etc',
    'ext::sh -c touch% /tmp/x',
    'ext::sh',
    'fd::17',
    'transport::address',
    'ftp://example.com/a',
    'javascript:alert(1)',
    '--upload-pack=touch /tmp/x',
    '-oProxyCommand=x',
    'https://user@github.com/a/b',
    'https://user:secret@github.com/a/b',
    'https://:secret@github.com/a/b',
    'https://github.com@127.0.0.1/a/b',
    'https://example.com\\@127.0.0.1/a',
    'https://example.com/a\nb',
    'https://example.com/a%0ab',
    'https://exa\tmple.com/a',
    ' https://example.com/a',
    'https://example.com/a?x=1',
    'https://example.com/a#b',
    'https://example.com/a#',
    'https://example.com/a?',
    'https://example.com/a?#',
    'https://@example.com/a',
    'https://:@example.com/a',
    'https://example.com:0/a',
    'https://example.com../a',
    'https://.example.com/a',
    'https://a..example.com/a',
    'https://./a',
    'https://example.com:99999/a',
    'https://exa%00mple.com/a',
    'https://xn--a/a',
    'https://example.com/',
    'https://example.com',
    'https://',
    '/srv/repo',
    './repo',
    '',
    'C:\\repo',
  ])('%j is unsupported', (text) => {
    expect(codeOf(() => parseGitUrl(text, PUBLIC_POLICY))).toBe('GIT_URL_UNSUPPORTED');
  });

  test.each([
    'https://127.0.0.1/a',
    'https://127.1/a',
    'https://2130706433/a',
    'https://0x7f.1/a',
    'https://0177.0.0.1/a',
    'https://0/a',
    'https://10.0.0.1/a',
    'https://172.16.0.1/a',
    'https://192.168.1.1/a',
    'https://169.254.169.254/latest',
    'https://100.64.0.1/a',
    'https://0.0.0.0/a',
    'https://224.0.0.1/a',
    'https://255.255.255.255/a',
    'https://[::1]/a',
    'https://[::]/a',
    'https://[::ffff:127.0.0.1]/a',
    'https://[::ffff:7f00:1]/a',
    'https://[64:ff9b::7f00:1]/a',
    'https://[2002:7f00:1::]/a',
    'https://[fe80::1]/a',
    'https://[fd00:ec2::254]/a',
    'https://[fec0::1]/a',
    'https://[::7f00:1]/a',
    'https://[::127.0.0.1]/a',
    'https://[::a9fe:a9fe]/a',
    'https://[::ffff:0:7f00:1]/a',
    'https://[64:ff9b:1::7f00:1]/a',
    'https://[2001:0:7f00:1::1]/a',
    'https://[2001:db8::1]/a',
    'https://[2001:2::1]/a',
    'https://[2001:20::1]/a',
    'https://[3fff::1]/a',
    'https://[5f00::1]/a',
    'https://[100::1]/a',
    'https://[4000::1]/a',
    'https://[e000::1]/a',
    'https://[ff02::1]/a',
    'https://[2606:4700::5efe:7f00:1]/a',
    'https://[2606:4700::200:5efe:a00:1]/a',
    'https://198.18.0.1/a',
    'https://192.0.0.1/a',
    'https://192.0.2.1/a',
    'https://192.88.99.1/a',
    'https://240.0.0.1/a',
    'https://127.0.0.1./a',
    'https://１２７.0.0.1/a',
  ])('%s is forbidden', (text) => {
    expect(codeOf(() => parseGitUrl(text, PUBLIC_POLICY))).toBe('GIT_HOST_FORBIDDEN');
  });

  test('SSH addresses are answered with the https form', () => {
    expect(() => parseGitUrl('git@github.com:a/b.git', PUBLIC_POLICY)).toThrow(/use https:\/\/github\.com\/a\/b\.git/);
  });

  test.each([
    ['loopback', ['127.0.0.1']],
    ['loopback, IPv6', ['::1']],
    ['the metadata service', ['169.254.169.254']],
    ['one private address among public ones', ['93.184.216.34', '10.1.2.3']],
    ['a wrapped private address', ['::ffff:192.168.0.1']],
    ['an IPv4-compatible address', ['::7f00:1']],
  ])('a name that resolves to %s is forbidden', async (_what, addresses) => {
    const check = checkGitUrl('https://git.example.com/a', PUBLIC_POLICY, async () => addresses);
    await expect(check).rejects.toMatchObject({ code: 'GIT_HOST_FORBIDDEN' });
  });

  test('a name with public addresses only is allowed', async () => {
    await checkGitUrl('https://git.example.com/a', PUBLIC_POLICY, async () => ['93.184.216.34', '2606:2800:220:1::1']);
  });

  test('a name that does not exist is a repository that is not there; a resolver that fails is transient', async () => {
    const failing = (code: string) => async () => Promise.reject(Object.assign(new Error(code), { code }));
    const check = (code: string) => checkGitUrl('https://git.example.com/a', PUBLIC_POLICY, failing(code));
    await expect(check('ENOTFOUND')).rejects.toMatchObject({ code: 'REPO_NOT_FOUND' });
    await expect(check('EAI_AGAIN')).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });

  test.each([
    ['no address', ['git.example.com']],
    ['something empty', ['']],
    ['an address with a zone', ['2606:4700::1%eth0']],
    ['an address with a port', ['93.184.216.34:443']],
    ['one address and nonsense', ['93.184.216.34', 'nonsense']],
  ])('a resolver that answers with %s', async (_what, addresses) => {
    const check = checkGitUrl('https://git.example.com/a', PUBLIC_POLICY, async () => addresses);
    await expect(check).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining('something that is no address'),
    });
  });

  test('a resolver that does not answer, and one that fails for no reason', async () => {
    const policy = { ...PUBLIC_POLICY, timeoutMs: 50 };
    const check = (resolve: () => Promise<string[]>) => checkGitUrl('https://git.example.com/a', policy, resolve);
    const failed = { code: 'GIT_FAILED', message: expect.stringContaining('could not be resolved') };
    await expect(check(() => new Promise(() => {}))).rejects.toMatchObject(failed);
    await expect(check(() => Promise.reject(new Error('odd')))).rejects.toMatchObject(failed);
  });

  test('localhost is forbidden by what it resolves to', async () => {
    await expect(checkGitUrl('https://localhost/a', PUBLIC_POLICY)).rejects.toMatchObject({
      code: 'GIT_HOST_FORBIDDEN',
    });
  });
});

describe('on the laptop', () => {
  test.each(['http://127.0.0.1:3000/a', 'https://[::1]/a', 'http://localhost/a', 'file:///srv/repo'])(
    '%s is allowed',
    (text) => expect(codeOf(() => parseGitUrl(text, LAPTOP_POLICY))).toBe('allowed'),
  );
  test.each(['ext::sh', 'file://host/srv/repo', 'ssh://git@host/a', 'http://u:p@127.0.0.1/a', '--upload-pack=x'])(
    '%s is unsupported',
    (text) => expect(codeOf(() => parseGitUrl(text, LAPTOP_POLICY))).toBe('GIT_URL_UNSUPPORTED'),
  );
  test('a path is told as the URL that it is', () => {
    const details = { reason: 'it is a path; as a URL it is file:///srv/my%C3%A4' };
    expect(() => parseGitUrl('/srv/myä', LAPTOP_POLICY)).toThrow(expect.objectContaining({ details }));
    expect(() => parseGitUrl('/srv/my', PUBLIC_POLICY)).toThrow(/it is not a URL/);
  });
  test('no name is looked up', async () => {
    await checkGitUrl('http://git.internal/a', LAPTOP_POLICY, () => Promise.reject(new Error('asked')));
  });
});

test('what git itself is allowed to speak', () => {
  expect(gitAllowProtocol(PUBLIC_POLICY)).toBe('https');
  expect(gitAllowProtocol(LAPTOP_POLICY)).toBe('https:http:file');
});

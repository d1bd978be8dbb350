import { parseAddress } from '../../cli/contexts/address.ts';
import { configFolder } from '../../cli/contexts/configFolder.ts';
import { isRepositoryUrl, readableUrl } from '../../cli/git/remoteUrl.ts';
import { browsableAddress, browserCommand } from '../../cli/output/openBrowser.ts';
import { projectNameFrom } from '../../cli/project/projectName.ts';

test.each([
  ['C:\\Users\\me\\app', false],
  ['c:/Users/me/app', false],
  ['..\\app', false],
  ['.', false],
  ['/srv/app', false],
  ['https://host/me/app', true],
  ['file:///srv/app.git', true],
  ['ssh://git@host/me/app', true],
  ['git@host:me/app.git', true],
  ['host:me/app', true],
])('%s is a URL: %s', (text, expected) => expect(isRepositoryUrl(text)).toBe(expected));

test.each([
  ['git@github.com:me/app.git', 'https://github.com/me/app.git'],
  ['ssh://git@host:2222/me/app', 'https://host/me/app'],
  ['https://me:secret@host/app', 'https://host/app'],
  ['http://host/app', 'http://host/app'],
  ['C:\\repos\\my app.git', 'file:///C:/repos/my%20app.git'],
  ['C:/repos/app.git', 'file:///C:/repos/app.git'],
  ['..\\other', 'file:///C:/work/other'],
])('on Windows the remote %s is read at %s', (remote, url) =>
  expect(readableUrl(remote, 'C:\\work\\app', { windows: true })).toBe(url),
);

test.each([
  ['/srv/git/app.git', 'file:///srv/git/app.git'],
  ['../other', 'file:///work/other'],
  ['git@host:/abs/app', 'https://host/abs/app'],
  ['ext::sh -c id', 'https://ext/:sh -c id'],
])('elsewhere %s is read at %s', (remote, url) =>
  expect(readableUrl(remote, '/work/app', { windows: false })).toBe(url),
);

test.each([
  ['win32', { APPDATA: 'C:\\Users\\me\\AppData\\Roaming' }, 'C:\\Users\\me\\AppData\\Roaming\\veren'],
  ['win32', {}, 'C:\\Users\\me\\AppData\\Roaming\\veren'],
  ['win32', { XDG_CONFIG_HOME: 'D:\\config' }, 'D:\\config\\veren'],
  ['linux', { XDG_CONFIG_HOME: '/etc/me' }, '/etc/me/veren'],
  ['linux', { XDG_CONFIG_HOME: 'relative' }, '/home/me/.config/veren'],
  ['darwin', {}, '/home/me/.config/veren'],
] as const)('%s with %j keeps contexts in %s', (platform, env, folder) => {
  const home = platform === 'win32' ? 'C:\\Users\\me' : '/home/me';
  expect(configFolder({ platform, env, home })).toBe(folder);
});

test.each([
  ['https://host/me/My_Site.git/', 'my-site'],
  ['C:\\Users\\me\\Meine Seite', 'meine-seite'],
  ['git@host:app', 'app'],
  ['/srv/--', ''],
])('a project of %s is called "%s"', (source, name) => expect(projectNameFrom(source)).toBe(name));

test('browsers are started by arguments that no shell reads, and for web addresses alone', () => {
  const url = browsableAddress('https://host/?a=1&calc.exe') as string;
  expect(browserCommand('win32', url)).toEqual(['rundll32.exe', 'url.dll,FileProtocolHandler', url]);
  expect(browserCommand('darwin', url)).toEqual(['open', url]);
  expect(browserCommand('linux', url)).toEqual(['xdg-open', url]);
  for (const text of ['javascript:alert(1)', 'file:///etc/passwd', '--help', 'image:tag@sha256:0'])
    expect(browsableAddress(text)).toBeUndefined();
});

test.each([
  ['veren.example', 'https://veren.example'],
  ['https://host/stage/', 'https://host/stage'],
  ['127.0.0.1:3000', 'http://127.0.0.1:3000'],
  ['localhost:4000', 'http://localhost:4000'],
])('the address %s is %s', (text, url) => expect(parseAddress(text, { insecure: false })).toBe(url));

test.each(['ftp://host', 'https://me:pw@host', 'https://host/?x', 'https://', 'http://host'])(
  '%s is no address',
  (text) => expect(() => parseAddress(text, { insecure: false })).toThrow(),
);

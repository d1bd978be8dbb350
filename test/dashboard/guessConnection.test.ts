import { guessConnection } from '../../dashboard/pages/git/guessConnection.ts';

test.each([
  ['https://github.com/ada/shop.git', 'github', 'ada/shop'],
  ['https://gitlab.com/group/sub/shop.git/', 'gitlab', 'group/sub/shop'],
  ['https://gitlab.example.com/a/b', 'gitlab', 'a/b'],
  ['https://bitbucket.org/a/b.git', 'bitbucket', 'a/b'],
  ['https://git.example.com/a/b', 'gitea', 'a/b'],
  ['file:///tmp/repository', 'github', ''],
  ['no address', 'github', ''],
  [undefined, 'github', ''],
])('%s', (gitUrl, host, repository) => {
  expect(guessConnection(gitUrl)).toEqual({ host, repository });
});

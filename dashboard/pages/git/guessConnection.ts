import type { GitHost } from '../../../contract/gitHosts.ts';

const HOSTS: Readonly<Record<string, GitHost>> = {
  'github.com': 'github',
  'gitlab.com': 'gitlab',
  'bitbucket.org': 'bitbucket',
  'codeberg.org': 'gitea',
};

/** What the git address of a project says of its host; the person can say otherwise. */
export function guessConnection(gitUrl: string | undefined): { host: GitHost; repository: string } {
  const { hostname = '', pathname = '' } = parse(gitUrl);
  const known = HOSTS[hostname] ?? (/gitlab/.test(hostname) ? 'gitlab' : undefined);
  const repository = hostname === '' ? '' : pathname.replace(/^\/|\/$|\.git\/?$/g, '');
  return { host: known ?? (hostname === '' ? 'github' : 'gitea'), repository };
}

function parse(url: string | undefined): { hostname?: string; pathname?: string } {
  try {
    return new URL(url ?? '');
  } catch {
    return {};
  }
}

import { VerenError } from '../../../contract/errors.ts';
import { type GitConfig, withConfig } from './gitFolder.ts';
import type { GitFolder } from './runGit.ts';

export interface Remote {
  /** The normalised URL that was checked: after redirects, the one that answers. */
  readonly url: URL;
  /** Addresses that the host's name is pinned to; empty where every address is allowed. */
  readonly addresses: readonly string[];
  /** Git with the addresses pinned and the credentials for this origin. */
  readonly git: GitFolder;
}

/** Throws GIT_URL_UNSUPPORTED where the token would travel in the clear. */
export function makeRemote(
  folder: GitFolder,
  url: URL,
  addresses: readonly string[],
  token: string | undefined,
): Remote {
  if (token !== undefined) requireSafeForToken(url);
  const git = withConfig(folder, remoteConfig(url, addresses, token));
  return { url, addresses, git: url.protocol === 'file:' ? withMemory(git, LOCAL_SERVER_MEMORY) : git };
}

/** A repository on this machine is served by git too, which maps the index of everything that its owner has. */
const LOCAL_SERVER_MEMORY = 2 * 1024 * 1024 * 1024;

const withMemory = (folder: GitFolder, memoryBytes: number): GitFolder => ({
  ...folder,
  limits: { ...folder.limits, memoryBytes },
});

function remoteConfig(url: URL, addresses: readonly string[], token: string | undefined): GitConfig {
  const config: [string, string][] = [
    ['protocol.version', '2'],
    ['http.followRedirects', 'false'],
    ['credential.helper', ''],
    ['core.hooksPath', '/dev/null'],
    // Never unpack to loose files.
    ['fetch.unpackLimit', '1'],
    ['pack.threads', '1'],
    // The folder is temporary, so nothing in it has to survive a power cut.
    ['core.fsync', 'none'],
  ];
  if (addresses.length > 0) {
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    config.push(['http.curloptResolve', `${url.hostname}:${port}:${addresses.map(bracketAddress).join(',')}`]);
  }
  if (token !== undefined) {
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
    config.push([`http.${url.origin}/.extraHeader`, `Authorization: Basic ${basic}`]);
  }
  return config;
}

const bracketAddress = (address: string) => (address.includes(':') ? `[${address}]` : address);

/** Over http a token may only travel inside the machine. */
function requireSafeForToken(url: URL): void {
  if (url.protocol === 'http:' && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname))
    throw new VerenError('GIT_URL_UNSUPPORTED', { reason: 'a token is only sent over https' });
}

import { isIP } from 'node:net';
import { pathToFileURL } from 'node:url';
import { VerenError } from '../../../contract/errors.ts';
import type { GitPolicy, GitProtocol } from './gitPolicy.ts';
import { type Resolve, requireAllowedAddress, resolvePublicAddresses } from './hostAddress.ts';
import { parseUrl } from './parseUrl.ts';

const unsupportedUrl = (reason: string) => new VerenError('GIT_URL_UNSUPPORTED', { reason });

/**
 * The form of a git URL, without any look-up: scheme, no credentials, no option-like text, and for a host given as an
 * address that the address is allowed. Answers the normalised URL, which is the only form that may be given to git: the
 * URL standard turns decimal, octal and hexadecimal addresses (`http://2130706433/`) into dotted ones, so what was
 * checked and what is connected to cannot differ. Throws GIT_URL_UNSUPPORTED or GIT_HOST_FORBIDDEN.
 */
export function parseGitUrl(text: string, policy: GitPolicy): URL {
  if (/[\u0000-\u0020\u007f\\]/.test(text)) throw unsupportedUrl('it holds spaces, control characters or backslashes');
  if (text.startsWith('-')) throw unsupportedUrl('it starts with "-"');
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/|:)(\S+)$/.exec(text);
  if (scp) throw unsupportedUrl(`SSH is not supported; use https://${scp[1]}/${scp[2]?.replace(/^\/+/, '')}`);
  // Checked in the text, since a URL object does not distinguish "x#" from "x", nor "@host" from "host".
  if (/[?#]/.test(text)) throw unsupportedUrl('it has a query or a fragment');
  if (/^[^/]*:\/\/[^/]*@/.test(text)) throw unsupportedUrl('it holds a user name or password; use "gitToken" instead');
  if (text.startsWith('/') && policy.protocols.includes('file'))
    throw unsupportedUrl(`it is a path; as a URL it is ${pathToFileURL(text).href}`);
  const url = parseUrl(text);
  if (!url) throw unsupportedUrl('it is not a URL');
  const scheme = url.protocol.slice(0, -1);
  if (!policy.protocols.includes(scheme as GitProtocol))
    throw unsupportedUrl(`the scheme "${scheme}" is not allowed; use ${policy.protocols.join(' or ')}`);
  if (url.username !== '' || url.password !== '')
    throw unsupportedUrl('it holds a user name or password; use "gitToken" instead');
  if (/%(?:0|1|7f)/i.test(url.pathname)) throw unsupportedUrl('it holds encoded control characters');
  if (url.protocol === 'file:') {
    if (url.hostname !== '') throw unsupportedUrl('a file URL has three slashes: file:///path');
    return url;
  }
  if (url.hostname === '') throw unsupportedUrl('it names no host');
  // A dot at the end marks a fully qualified name; git's transport pins addresses only to names without it.
  url.hostname = url.hostname.replace(/\.$/, '');
  if (url.hostname.split('.').includes('')) throw unsupportedUrl('its host name is not valid');
  if (url.port === '0') throw unsupportedUrl('port 0 does not exist');
  if (url.pathname === '/') throw unsupportedUrl('it names a host but no repository');
  const address = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address)) requireAllowedAddress(url.hostname, address, policy);
  return url;
}

/** `parseGitUrl`, then every address of the host must be allowed. Throws as that does, and REPO_NOT_FOUND for no such host. */
export async function checkGitUrl(text: string, policy: GitPolicy, resolve?: Resolve): Promise<void> {
  await resolvePublicAddresses(parseGitUrl(text, policy), policy, resolve);
}

import type { ListingLimits } from './listing.ts';

export type GitProtocol = 'https' | 'http' | 'file';

/** Which hosts may be read, and the limits for reading. */
export interface GitPolicy extends ListingLimits {
  readonly protocols: readonly GitProtocol[];
  /** True: loopback, private and link-local addresses too, and no name is looked up beforehand. */
  readonly allowPrivateAddresses: boolean;
  /** Time limit for the whole reading (ms). */
  readonly timeoutMs: number;
  /** Bytes that may be received, packed. */
  readonly maxBytes: number;
  /** Memory of each git process, as address space. */
  readonly maxGitMemory: number;
  /** Bytes of one manifest. */
  readonly maxFileBytes: number;
  /** Redirects that are followed; the target of each is checked like the URL itself. */
  readonly maxRedirects: number;
}

/** For a service on the network: https to public addresses, sized for a Lambda's default 512 MB of `/tmp`. */
export const PUBLIC_POLICY: GitPolicy = {
  protocols: ['https'],
  allowPrivateAddresses: false,
  timeoutMs: 60_000,
  maxBytes: 256 * 1024 * 1024,
  maxGitMemory: 256 * 1024 * 1024,
  maxEntries: 200_000,
  maxDepth: 12,
  maxFileBytes: 1024 * 1024,
  maxRedirects: 3,
};

/** For the laptop: the user's own machine and network. */
export const LAPTOP_POLICY: GitPolicy = {
  ...PUBLIC_POLICY,
  protocols: ['https', 'http', 'file'],
  allowPrivateAddresses: true,
  maxBytes: 2 * 1024 * 1024 * 1024,
};

/** Value of `GIT_ALLOW_PROTOCOL` (git(1)): every other transport, `ext::` among them, is refused by git itself. */
export const gitAllowProtocol = (policy: GitPolicy): string => policy.protocols.join(':');

import { type GitPolicy, LAPTOP_POLICY, PUBLIC_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';

/**
 * The rules for every address that a repository names: those for the repository's own URL, but without files of this
 * machine, since a stranger's repository that is built on a laptop must not read its owner's files.
 */
export function policyForNamed(allowedProtocols: string): GitPolicy {
  const protocols = allowedProtocols.split(':');
  const policy = protocols.includes('http') ? LAPTOP_POLICY : PUBLIC_POLICY;
  return { ...policy, protocols: policy.protocols.filter((name) => name !== 'file' && protocols.includes(name)) };
}

import type { Remote } from './remote.ts';
import { type RunLimits, runGit } from './runGit.ts';
import type { Session } from './session.ts';

const COMMIT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Whether a ref is the branch that the host's HEAD names, or is HEAD. A tag of the same name is what git takes first, so
 * then it is not. One question more to the host, for names of branches only.
 */
export async function isDefaultBranch(
  remote: Remote,
  session: Session | null,
  ref: string | undefined,
  limits: RunLimits,
): Promise<boolean> {
  if (ref === undefined || ref === 'HEAD') return true;
  if (COMMIT_ID.test(ref) || /^(?:refs\/)?tags\//.test(ref)) return false;
  const branch = `refs/heads/${ref.replace(/^(?:refs\/)?heads\//, '')}`;
  const tag = `refs/tags/${ref}`;
  if (session) return (await session.headBranch()) === branch && !(await session.refs([tag])).has(tag);
  const result = await runGit(remote.git, ['ls-remote', '--symref', '--', remote.url.href, 'HEAD', tag], limits);
  if (result.kind !== 'exit' || result.code !== 0) return false;
  const lines = result.stdout.split('\n');
  return lines.includes(`ref: ${branch}\tHEAD`) && !lines.some((line) => line.endsWith(`\t${tag}`));
}

import { TARGETS } from '../../../contract/builders.ts';
import { type BuildResources, sessionPolicy } from './credentials.ts';

/** Of the text of a session policy. Source: STS API reference, AssumeRole, parameter Policy. */
export const SESSION_POLICY_LIMIT = 2_048;

/** Ids as long as the API takes them: 63 characters of a project, 26 of a ULID. */
const LONGEST = { projectId: 'p'.repeat(63), deploymentId: '0'.repeat(26) };

/**
 * Length of the longest session policy of a build with these resources. Synth uses it to refuse what STS would refuse.
 */
export const longestSessionPolicy = (resources: BuildResources): number =>
  Math.max(
    ...TARGETS.map(
      (target) => JSON.stringify(sessionPolicy({ ...LONGEST, target, lane: 'production' }, resources)).length,
    ),
  );

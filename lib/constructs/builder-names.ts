import { BUILDERS, type Builder } from '../../contract/builders.ts';
import type { Config } from '../config.ts';

/**
 * The table of builders with the names that this stage gives to what an account has once per region: clusters, task
 * families, repositories. Containers keep theirs: they are named inside a task definition only.
 */
export function namedBuilders({
  frontendCluster,
  backendCluster,
  namePrefix,
}: Pick<Config['builders'], 'frontendCluster' | 'backendCluster' | 'namePrefix'>): readonly Builder[] {
  return BUILDERS.map((builder: Builder) => ({
    ...builder,
    cluster: builder.target === 'frontend' ? frontendCluster : backendCluster,
    family: `${namePrefix}${builder.family}`,
    repository: `${namePrefix}${builder.repository}`,
  }));
}
